package expr

import (
	"github.com/google/cel-go/common/types"
	"github.com/valyala/fastjson"
)

// EqualTo is the value that an equality compares with, in a form that is a map key: an index finds
// its members by it. Numbers of all types are doubles here, so that 1, 1u and 1.0 are one key.
type EqualTo struct {
	// place is empty where values of one place only are compared.
	place  fieldRef
	text   string
	number float64
	// kind is text, number, true, false or null; only the field of that kind is set.
	kind string
}

// equality returns the key of the literal l, a CEL value, at place p.
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

// EqualToJSON returns the key of a JSON value, without a place, for values that a change trigger
// takes for equal. Objects, lists and a missing value (nil) have the key of null.
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
