package campaign

import (
	"github.com/google/cel-go/common/types"
	"github.com/valyala/fastjson"
)

// equalTo names the value that a term takes.
type equalTo struct {
	place  place
	text   string
	number float64
	kind   string
}

func equality(p place, l any) equalTo {
	switch lit := l.(type) {
	case types.String:
		return equalTo{place: p, text: string(lit), kind: "text"}
	case types.Double:
		return equalTo{place: p, number: float64(lit), kind: "number"}
	case types.Int:
		return equalTo{place: p, number: float64(lit), kind: "number"}
	case types.Uint:
		return equalTo{place: p, number: float64(lit), kind: "number"}
	case types.Bool:
		if lit {
			return equalTo{place: p, kind: "true"}
		}
		return equalTo{place: p, kind: "false"}
	}
	return equalTo{place: p, kind: "null"}
}

// equalToJSON is the same for values that a change trigger takes for equal; those that
// are no scalars, and none, count as null.
func equalToJSON(v *fastjson.Value) equalTo {
	if v == nil {
		return equalTo{kind: "null"}
	}
	switch v.Type() {
	case fastjson.TypeString:
		return equalTo{kind: "text", text: string(v.GetStringBytes())}
	case fastjson.TypeNumber:
		return equalTo{kind: "number", number: v.GetFloat64()}
	case fastjson.TypeTrue:
		return equalTo{kind: "true"}
	case fastjson.TypeFalse:
		return equalTo{kind: "false"}
	default:
		return equalTo{kind: "null"}
	}
}
