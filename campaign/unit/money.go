package unit

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// Money is an amount in millionths of its currency unit: 2.50 is 2,500,000. Whole numbers make sums
// exact and independent of the order of the terms, which floating point does not; the range is about
// ±9.2 trillion units. The currency is kept elsewhere.
type Money int64

// Plus returns m + n. A sum outside the range of Money becomes the nearest end of the range instead of
// wrapping around, so that a total never changes its sign.
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

// MicrosPerUnit is the number of millionths in one unit of a currency.
const MicrosPerUnit = 1_000_000

// ParseMoney reads text in the grammar of JSON numbers. Digits beyond the sixth decimal place are
// rounded half away from zero. ok is false where text is no number or the amount does not fit.
func ParseMoney(text string) (m Money, ok bool) {
	// The fast path reads plain decimals with at most six decimal places as one integer, without
	// allocation of big numbers. 24 bytes hold every such amount: sign, 13 + 6 digits, point.
	if strings.ContainsAny(text, "eE") || len(text) > 24 {
		return parseMoneySlow(text)
	}
	digits, negative := strings.CutPrefix(text, "-")
	whole, fraction, _ := strings.Cut(digits, ".")
	if len(fraction) > 6 || whole == "" {
		return parseMoneySlow(text)
	}
	// Pad to six places: the digits on both sides of the point then are the millionths.
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

// parseMoneySlow reads numbers with an exponent or many digits by exact rational arithmetic. A plain
// float64 would round an amount of more than 15 digits.
func parseMoneySlow(text string) (Money, bool) {
	// No sender has a reason for longer numbers, and the cost of the exact arithmetic grows with the
	// length.
	if len(text) > 400 {
		return 0, false
	}
	f, err := strconv.ParseFloat(text, 64) // bounds the exponent before exact arithmetic
	if err != nil || math.Abs(f) > math.MaxInt64/MicrosPerUnit {
		return 0, false
	}
	// Far below half a millionth, and perhaps with a huge negative exponent, which would make the
	// rational number below very large.
	if math.Abs(f) < 1e-9 {
		return 0, true
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return 0, false
	}
	r.Mul(r, big.NewRat(MicrosPerUnit, 1))
	num, den := r.Num(), r.Denom()
	// Round half away from zero: floor((2|num| + den) / 2den), and the sign put back.
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

// MoneyOf rounds f, an amount in units, to the nearest millionth. ok is false for NaN, the infinities
// and amounts that do not fit.
func MoneyOf(f float64) (Money, bool) {
	micros := math.Round(f * MicrosPerUnit)
	if math.IsNaN(micros) || math.Abs(micros) >= math.MaxInt64 {
		return 0, false
	}
	return Money(micros), true
}

// Float returns the amount in units. It is approximate for amounts of more than 15 digits.
func (m Money) Float() float64 { return float64(m) / MicrosPerUnit }

// String returns the shortest decimal of the amount in units: "30", "363.6", "-0.000001".
func (m Money) String() string {
	// Negation as uint64 is also right for the smallest int64, which has no positive counterpart.
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

// CurrencyCode returns the form of a currency by which sums are kept apart. Three ASCII letters are
// returned in upper case, because shops write USD where payment services write usd, and both must go
// into one sum. Any other text is returned as it is, without the spaces around it.
func CurrencyCode(text string) string {
	text = strings.TrimSpace(text)
	if len(text) != 3 {
		return text
	}
	for _, c := range []byte(text) {
		// c|0x20 is the lower case of an ASCII letter.
		if c|0x20 < 'a' || c|0x20 > 'z' {
			return text
		}
	}
	return strings.ToUpper(text)
}
