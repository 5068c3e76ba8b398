package jsonvalue

import (
	"math"
	"strconv"
	"strings"

	"github.com/valyala/fastjson"
)

// MaxWholeText is from where on a whole number is written with an exponent, as JSON is.
const MaxWholeText = 1e21

// Text is a scalar as the text of an identifier; ok is false for null, a list and an
// object.
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

// SameIdentifier compares two values as identifiers; lists and objects by value.
func SameIdentifier(a, b *fastjson.Value) bool {
	x, scalar := Text(a)
	y, other := Text(b)
	if scalar != other {
		return false
	}
	return scalar && x == y || !scalar && Equal(a, b)
}

// maxWhole bounds the whole numbers written with a fraction or an exponent that are taken
// as ids: beyond it a double does not hold every one.
const maxWhole = 1 << 53

// Identifier is a JSON value as an id: a text as it is, a whole number as its digits (7, 7.0
// and 7e0 are all "7"). ok is false for anything else.
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
