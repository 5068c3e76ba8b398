package expr

import (
	"math"
	"strconv"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/nudge-engine/nudge/campaign/unit"
)

// AmountFromValue reads an amount out of a CEL result.
func AmountFromValue(v ref.Val) (unit.Money, bool) {
	if text, ok := v.(types.String); ok {
		return unit.ParseAmount(string(text))
	}
	return moneyFromValue(v)
}

// moneyFromValue reads an amount out of a CEL result.
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

// AsNumber is the value of a threshold: a number, or a text that is one.
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

// Decimal takes from a number what binary arithmetic added to it, so that 1 - 0.9 is 0.1:
// fifteen digits count. Whole numbers stay as they are.
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

// numberOf is a numeric literal or value as a double: what is equal or ordered under CEL
// is equal or ordered, or equal, here.
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
