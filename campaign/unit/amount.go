package unit

import (
	"strings"

	"github.com/valyala/fastjson"
)

// maxAmountText bounds a text that is read as an amount, bytes.
const maxAmountText = 64

// AmountOf reads an amount: a number, or a text that is one, as shops write them. ok is
// false for anything else.
func AmountOf(v *fastjson.Value) (m Money, ok bool) {
	switch v.Type() {
	case fastjson.TypeNumber:
		return ParseMoney(string(v.MarshalTo(nil)))
	case fastjson.TypeString:
		return ParseAmount(string(v.GetStringBytes()))
	case fastjson.TypeNull, fastjson.TypeTrue, fastjson.TypeFalse, fastjson.TypeObject, fastjson.TypeArray:
	}
	return 0, false
}

// ParseAmount reads a text that is a decimal number: digits, a point, an exponent; spaces
// around it and a plus sign do not matter. Words, units and thousands' separators do.
func ParseAmount(text string) (Money, bool) {
	text = strings.TrimPrefix(strings.TrimSpace(text), "+")
	if text == "" || len(text) > maxAmountText || strings.Trim(text, "0123456789.eE+-") != "" {
		return 0, false
	}
	if strings.HasPrefix(strings.TrimPrefix(text, "-"), ".") {
		text = strings.Replace(text, ".", "0.", 1)
	}
	return ParseMoney(text)
}
