package unit

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// Money is an amount in millionths of its unit, so that sums are exact.
type Money int64

// Plus is the sum, at the end of the range where it would leave it.
func (m Money) Plus(n Money) Money {
	sum := m + n
	switch {
	case m > 0 && n > 0 && sum < 0:
		return math.MaxInt64
	case m < 0 && n < 0 && sum >= 0:
		return math.MinInt64
	}
	return sum
}

// MicrosPerUnit is how many millionths one unit of a currency has.
const MicrosPerUnit = 1_000_000

// ParseMoney reads a JSON number. Digits beyond the sixth after the point are
// rounded half away from zero; ok is false when the text is no number or the
// amount does not fit.
func ParseMoney(text string) (m Money, ok bool) {
	if strings.ContainsAny(text, "eE") || len(text) > 24 {
		return parseMoneySlow(text)
	}
	digits, negative := strings.CutPrefix(text, "-")
	whole, fraction, _ := strings.Cut(digits, ".")
	if len(fraction) > 6 || whole == "" {
		return parseMoneySlow(text)
	}
	fraction += "000000"[len(fraction):]
	n, err := strconv.ParseInt(whole+fraction, 10, 64)
	if err != nil || strings.ContainsAny(whole, "+-") {
		return 0, false
	}
	if negative {
		n = -n
	}
	return Money(n), true
}

func parseMoneySlow(text string) (Money, bool) {
	if len(text) > 400 {
		return 0, false
	}
	f, err := strconv.ParseFloat(text, 64) // bounds the exponent before exact arithmetic
	if err != nil || math.Abs(f) > math.MaxInt64/MicrosPerUnit {
		return 0, false
	}
	if math.Abs(f) < 1e-9 {
		return 0, true
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return 0, false
	}
	r.Mul(r, big.NewRat(MicrosPerUnit, 1))
	num, den := r.Num(), r.Denom()
	twice := new(big.Int).Mul(new(big.Int).Abs(num), big.NewInt(2))
	twice.Add(twice, den)
	q := twice.Div(twice, new(big.Int).Mul(den, big.NewInt(2)))
	if num.Sign() < 0 {
		q.Neg(q)
	}
	if !q.IsInt64() {
		return 0, false
	}
	return Money(q.Int64()), true
}

// MoneyOf rounds a floating-point amount to the nearest millionth.
func MoneyOf(f float64) (Money, bool) {
	micros := math.Round(f * MicrosPerUnit)
	if math.IsNaN(micros) || math.Abs(micros) >= math.MaxInt64 {
		return 0, false
	}
	return Money(micros), true
}

// Float is the amount in units.
func (m Money) Float() float64 { return float64(m) / MicrosPerUnit }

// String is the shortest decimal of the amount: "30", "363.6", "-0.000001".
func (m Money) String() string {
	sign, u := "", uint64(m)
	if m < 0 {
		sign, u = "-", -u
	}
	text := sign + strconv.FormatUint(u/MicrosPerUnit, 10)
	if rest := u % MicrosPerUnit; rest != 0 {
		fraction := strconv.FormatUint(MicrosPerUnit+rest, 10)[1:]
		text += "." + strings.TrimRight(fraction, "0")
	}
	return text
}

// CurrencyCode is the currency of an amount as sums are told apart by it: shops write USD,
// payment services usd, and both are one sum. What is no code of three letters stays as it
// is, without the spaces around it.
func CurrencyCode(text string) string {
	text = strings.TrimSpace(text)
	if len(text) != 3 {
		return text
	}
	for _, c := range []byte(text) {
		if c|0x20 < 'a' || c|0x20 > 'z' {
			return text
		}
	}
	return strings.ToUpper(text)
}
