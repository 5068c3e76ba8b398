package expr

import (
	"math"
	"strconv"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/nudge-engine/nudge/campaign/unit"
)

// AmountFromValue reads an amount of money from the result of an expression: a number, or a text
// that is one. ok is false for anything else, and for what does not fit into micros.
func AmountFromValue(v ref.Val) (unit.Money, bool) {
	if text, ok := v.(types.String); ok {
		return unit.ParseAmount(string(text))
	}
	return moneyFromValue(v)
}

// moneyFromValue reads an amount of money from the result of an expression that is a number; ok is
// false for a text.
func moneyFromValue(v ref.Val) (unit.Money, bool) {
	switch n := v.(type) {
	case types.Double:
		return unit.MoneyOf(float64(n))
	case types.Int:
		if n > math.MaxInt64/unit.MicrosPerUnit || n < math.MinInt64/unit.MicrosPerUnit {
			return 0, false
		}
		return unit.Money(n) * unit.MicrosPerUnit, true
	}
	return 0, false
}

// AsNumber reads the value that a threshold is compared with: a number, or a text that is one,
// since shops send "19.90".
func AsNumber(v ref.Val) (value float64, ok bool) {
	switch n := v.(type) {
	case types.Double:
		return Decimal(float64(n)), true
	case types.Int:
		return float64(n), true
	case types.String:
		m, ok := unit.ParseAmount(string(n))
		return m.Float(), ok
	}
	return 0, false
}

// Decimal rounds a number to fifteen significant digits, all of which a double holds, and so
// removes what binary arithmetic added: 1 - 0.9 gives 0.09999999999999998, and 0.1 here. Whole
// numbers stay as they are.
func Decimal(v float64) float64 {
	if v == math.Trunc(v) || math.IsInf(v, 0) || math.IsNaN(v) {
		return v
	}
	d, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 15, 64), 64)
	if err != nil {
		return v
	}
	return d
}

// numberOf returns a numeric literal or value as a double. Whole numbers beyond 2^53 may be
// rounded: values that are equal or ordered to CEL are equal or ordered here, but not conversely.
// ok is false for NaN and for what is no number.
func numberOf(v ref.Val) (float64, bool) {
	switch n := v.(type) {
	case types.Double:
		return float64(n), !math.IsNaN(float64(n))
	case types.Int:
		return float64(n), true
	case types.Uint:
		return float64(n), true
	}
	return 0, false
}
