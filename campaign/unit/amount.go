package unit

import (
	"strings"

	"github.com/valyala/fastjson"
)

// maxAmountText is the greatest length in bytes of a text that is read as an amount. Real amounts have
// some twenty characters; the bound keeps the cost of a hostile value small.
const maxAmountText = 64

// AmountOf reads v as an amount of money. v is a JSON number, or a string that holds one, because many
// shops send prices as strings. ok is false for every other type and for text that is no number.
//
// v must not be nil.
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

// ParseAmount reads text as a decimal number: digits, an optional point and exponent. Surrounding
// spaces, a leading plus sign and a missing zero before the point (".5") are accepted. ok is false for
// anything else, such as a currency sign, a unit, or separators between thousands: to guess whether
// "1,500" means 1500 or 1.5 would be wrong for half of the senders.
func ParseAmount(text string) (Money, bool) {
	text = strings.TrimPrefix(strings.TrimSpace(text), "+")
	if text == "" || len(text) > maxAmountText || strings.Trim(text, "0123456789.eE+-") != "" {
		return 0, false
	}
	if strings.HasPrefix(strings.TrimPrefix(text, "-"), ".") {
		// The JSON grammar, which ParseMoney reads, wants a digit before the point.
		text = strings.Replace(text, ".", "0.", 1)
	}
	return ParseMoney(text)
}
