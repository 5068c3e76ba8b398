package jsonvalue

import (
	"math"
	"strconv"
	"strings"

	"github.com/valyala/fastjson"
)

// MaxWholeText is the magnitude beyond which a number is written with an exponent, as JavaScript and
// the encoders that follow it do.
const MaxWholeText = 1e21

// Text returns a scalar as text, in the form in which identifiers are compared: strings as they are,
// whole numbers as their digits, other numbers as a plain decimal, booleans as true and false. ok is
// false for nil, null, lists and objects.
func Text(v *fastjson.Value) (text string, ok bool) {
	if v == nil {
		return "", false
	}
	if id, ok := Identifier(v); ok {
		return id, true
	}
	switch v.Type() {
	case fastjson.TypeNumber:
		raw := string(v.MarshalTo(nil))
		f, err := strconv.ParseFloat(raw, 64)
		// Zero is excluded because a number too small for a double would become 0 too; both keep their
		// text.
		if err != nil || math.Abs(f) > MaxWholeText || f == 0 {
			return raw, true
		}
		return strconv.FormatFloat(f, 'f', -1, 64), true
	case fastjson.TypeTrue:
		return "true", true
	case fastjson.TypeFalse:
		return "false", true
	case fastjson.TypeString, fastjson.TypeNull, fastjson.TypeObject, fastjson.TypeArray:
	}
	return "", false
}

// SameIdentifier reports whether two values identify the same thing. Scalars are compared as text, so
// that the number 7 and the string "7" are the same: systems disagree about how they send ids. Lists
// and objects are compared by Equal.
func SameIdentifier(a, b *fastjson.Value) bool {
	x, scalar := Text(a)
	y, other := Text(b)
	if scalar != other {
		return false
	}
	return scalar && x == y || !scalar && Equal(a, b)
}

// maxWhole is the largest magnitude of a whole number with a fraction or an exponent (7.0, 7e0) that is
// taken as an id. Beyond 2^53 a double does not hold every whole number, and two ids could become one.
const maxWhole = 1 << 53

// Identifier returns a JSON value as an id: a string as it is, a whole number as its digits (7, 7.0 and
// 7e0 are all "7"). ok is false for anything else. v must not be nil.
func Identifier(v *fastjson.Value) (id string, ok bool) {
	switch v.Type() {
	case fastjson.TypeString:
		return string(v.GetStringBytes()), true
	case fastjson.TypeNumber:
		return wholeNumber(string(v.MarshalTo(nil)))
	case fastjson.TypeNull, fastjson.TypeObject, fastjson.TypeArray, fastjson.TypeTrue, fastjson.TypeFalse:
	}
	return "", false
}

// wholeNumber returns the digits of a JSON number that is whole. Plain digits are taken at any length,
// because they need no conversion.
func wholeNumber(text string) (digits string, ok bool) {
	if strings.Trim(strings.TrimPrefix(text, "-"), "0123456789") == "" { // of any length
		if text == "-0" {
			text = "0"
		}
		return text, true
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > maxWhole {
		return "", false
	}
	return strconv.FormatInt(int64(f), 10), true
}
