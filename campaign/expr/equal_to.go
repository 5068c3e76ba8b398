package expr

import (
	"github.com/google/cel-go/common/types"
	"github.com/valyala/fastjson"
)

// EqualTo names the value that a term takes.
type EqualTo struct {
	place  fieldRef
	text   string
	number float64
	kind   string
}

func equality(p fieldRef, l any) EqualTo {
	switch lit := l.(type) {
	case types.String:
		return EqualTo{place: p, text: string(lit), kind: "text"}
	case types.Double:
		return EqualTo{place: p, number: float64(lit), kind: "number"}
	case types.Int:
		return EqualTo{place: p, number: float64(lit), kind: "number"}
	case types.Uint:
		return EqualTo{place: p, number: float64(lit), kind: "number"}
	case types.Bool:
		if lit {
			return EqualTo{place: p, kind: "true"}
		}
		return EqualTo{place: p, kind: "false"}
	}
	return EqualTo{place: p, kind: "null"}
}

// EqualToJSON is the same for values that a change trigger takes for equal; those that
// are no scalars, and none, count as null.
func EqualToJSON(v *fastjson.Value) EqualTo {
	if v == nil {
		return EqualTo{kind: "null"}
	}
	switch v.Type() {
	case fastjson.TypeString:
		return EqualTo{kind: "text", text: string(v.GetStringBytes())}
	case fastjson.TypeNumber:
		return EqualTo{kind: "number", number: v.GetFloat64()}
	case fastjson.TypeTrue:
		return EqualTo{kind: "true"}
	case fastjson.TypeFalse:
		return EqualTo{kind: "false"}
	default:
		return EqualTo{kind: "null"}
	}
}
