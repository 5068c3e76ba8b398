package liquid

import (
	"strings"

	"github.com/shopspring/decimal"
)

// quotientDigits is the greatest number of decimal places of a quotient, which may have no
// end. 16 is what the decimal library itself uses.
const quotientDigits = 16

// result returns a number that a filter computed. It ends the rendering where the number
// has more digits than a number may have: repeated multiplication would make ever longer
// ones.
func result(d decimal.Decimal, whole bool) Number {
	if !bounded(d) {
		exceed("a number of more than %d digits", maxDigits)
	}
	return Number{Decimal: d, Whole: whole}
}

// both returns the filter that computes one number from its value and its argument. The
// result is whole where both are.
func both(name string, calculate func(a, b decimal.Decimal) decimal.Decimal) func(r *run, v any, args []any) any {
	return func(r *run, v any, args []any) any {
		a, b := r.number(name, v), r.number(name, args[0])
		r.step(1)
		return result(calculate(a.Decimal, b.Decimal), a.Whole && b.Whole)
	}
}

// plus, minus and times are the filters of these names.
func plus(r *run, v any, args []any) any  { return both("plus", decimal.Decimal.Add)(r, v, args) }
func minus(r *run, v any, args []any) any { return both("minus", decimal.Decimal.Sub)(r, v, args) }
func times(r *run, v any, args []any) any { return both("times", decimal.Decimal.Mul)(r, v, args) }

// atLeast is the filter "at_least": the larger of two numbers.
func atLeast(r *run, v any, args []any) any {
	a, b := r.number("at_least", v), r.number("at_least", args[0])
	if a.Cmp(b.Decimal) < 0 {
		return b
	}
	return a
}

// atMost is the filter "at_most": the smaller of two numbers.
func atMost(r *run, v any, args []any) any {
	a, b := r.number("at_most", v), r.number("at_most", args[0])
	if a.Cmp(b.Decimal) > 0 {
		return b
	}
	return a
}

// dividedBy is the filter "divided_by". As in Liquid, the quotient of two whole numbers is
// whole and rounded down.
func dividedBy(r *run, v any, args []any) any {
	a, b := r.number("divided_by", v), r.number("divided_by", args[0])
	if b.IsZero() {
		fail("divided_by: division by zero")
	}
	r.step(1)
	if a.Whole && b.Whole {
		return result(floorDiv(a.Decimal, b.Decimal), true)
	}
	return result(a.DivRound(b.Decimal, quotientDigits), false)
}

// floorDiv returns a / b rounded down to a whole number, also for negative numbers.
func floorDiv(a, b decimal.Decimal) decimal.Decimal {
	q, rest := a.QuoRem(b, 0)
	if rest.Sign() != 0 && rest.Sign() != b.Sign() {
		q = q.Sub(decimal.NewFromInt(1))
	}
	return q
}

// modulo is the filter "modulo". As in Liquid, the result has the sign of the divisor.
func modulo(r *run, v any, args []any) any {
	a, b := r.number("modulo", v), r.number("modulo", args[0])
	if b.IsZero() {
		fail("modulo: division by zero")
	}
	r.step(1)
	return result(a.Sub(b.Mul(floorDiv(a.Decimal, b.Decimal))), a.Whole && b.Whole)
}

// abs is the filter "abs": a number without its sign.
func abs(r *run, v any, _ []any) any {
	n := r.number("abs", v)
	return Number{Decimal: n.Abs(), Whole: n.Whole}
}

// ceil is the filter "ceil": a number rounded up to a whole one.
func ceil(r *run, v any, _ []any) any { return result(r.number("ceil", v).Ceil(), true) }

// floor is the filter "floor": a number rounded down to a whole one.
func floor(r *run, v any, _ []any) any { return result(r.number("floor", v).Floor(), true) }

// round is the filter "round": a number rounded half away from zero, to a whole one or to a
// number of decimal places.
func round(r *run, v any, args []any) any {
	n := r.number("round", v)
	places := r.integer("round", argument(args, 0, count(0)))
	// The bound keeps the exponent of the result small.
	if places > maxDigits || places < -maxDigits {
		exceed("round: more than %d places", maxDigits)
	}
	return result(n.Round(int32(places)), places <= 0)
}

// sum is the filter "sum": the sum of the numbers of a list, or of a member of its objects.
// Missing values count as zero.
func sum(r *run, v any, args []any) any {
	by := argument(args, 0, nil)
	list := r.elements(v)
	if by == nil {
		list = r.copied(v)
	}
	total := count(0)
	for _, x := range list {
		if by != nil {
			x = r.member(x, r.text(by))
		}
		r.step(1)
		if x == nil {
			continue
		}
		n := r.number("sum", x)
		total = result(total.Add(n.Decimal), total.Whole && n.Whole)
	}
	return total
}

// places has the number of decimal places of the currencies of ISO 4217 that do not have
// two.
//
//nudge:constant read only
var places = map[string]int32{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0,
	"UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
	"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
	"CLF": 4, "UYW": 4,
}

// currencies has the codes of ISO 4217 whose money has two decimal places, and a few that
// were withdrawn recently and still occur in data.
const currencies = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD " +
	"CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD " +
	"HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR " +
	"MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD " +
	"SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG " +
	"YER ZAR ZMW ZWG ANG ZWL SLL HRK CUC"

// placesOf returns the number of decimal places of a currency. ok is false where code is no
// currency.
func placesOf(code string) (int32, bool) {
	code = strings.ToUpper(strings.TrimSpace(code))
	if n, ok := places[code]; ok {
		return n, true
	}
	const twoDigits = 2
	return twoDigits, len(code) == 3 && !strings.Contains(code, " ") && strings.Contains(currencies, code)
}

// checkCurrency is the check of the filter "money".
func checkCurrency(_ int, v any) string {
	code, ok := v.(string)
	if ok {
		_, ok = placesOf(code)
	}
	if !ok {
		return `write the code of a currency in quotes, as "EUR"`
	}
	return ""
}

// money is the filter "money": it writes an amount with the decimal places of its currency,
// rounded half away from zero. Without a currency it has two places, and more where the
// amount has more. Of an object it takes the members amount (or value) and currency, as
// orders have them.
func money(r *run, v any, args []any) any {
	code := argument(args, 0, nil)
	if o, ok := v.(Object); ok {
		if code == nil {
			code = o.of("currency")
		}
		if v = o.of("amount"); v == nil {
			v = o.of("value")
		}
	}
	n := r.number("money", v)
	if code == nil {
		return n.StringFixed(max(2, -n.Exponent()))
	}
	digits, ok := placesOf(r.text(code))
	if !ok {
		fail("money: %q is no currency", clip(r.text(code)))
	}
	return n.StringFixed(digits)
}
