package unit

import (
	"math"
	"testing"

	"github.com/valyala/fastjson"
)

func TestMoney(t *testing.T) {
	f := func(text string, want Money, shown string) {
		t.Helper()
		if got, ok := ParseMoney(text); !ok || got != want || got.String() != shown {
			t.Errorf("%q: unexpected %d %v %q; want %d %q", text, got, ok, got.String(), want, shown)
		}
	}
	f("30", 30_000_000, "30")
	f("363.6", 363_600_000, "363.6")
	f("-0.000001", -1, "-0.000001")
	f("0.1", 100_000, "0.1")
	f("1e2", 100_000_000, "100")
	f("1.0000005", 1_000_001, "1.000001")
	f("-1.0000005", -1_000_001, "-1.000001")
	f("1E-30", 0, "0")
	f("9223372036854.775807", 9_223_372_036_854_775_807, "9223372036854.775807")
	for _, bad := range []string{"", "x", "1e400", "9223372036855", "--1", "+1", "1.2.3"} {
		if got, ok := ParseMoney(bad); ok {
			t.Errorf("%q: unexpected %d; want a refusal", bad, got)
		}
	}
}

// A sum stays at the end of its range instead of beginning anew at the other.
func TestMoneyStaysAtItsEnd(t *testing.T) {
	const most, least = Money(math.MaxInt64), Money(math.MinInt64)
	for _, c := range []struct{ a, b, want Money }{
		{most, 1, most},
		{most, most, most},
		{least, -1, least},
		{least, least, least},
		{most, least, -1},
		{2, 3, 5},
		{-2, -3, -5},
		{most - 1, 1, most},
		{least + 1, -1, least},
	} {
		if got := c.a.Plus(c.b); got != c.want {
			t.Errorf("%d plus %d is %d; want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestAmountOf(t *testing.T) {
	for text, want := range map[string]string{
		`60`: "60", `"60.00"`: "60", `" 60,5 "`: "", `"+1.5"`: "1.5", `"-0.1"`: "-0.1", `".5"`: "0.5", `"1e2"`: "100",
		`"60 EUR"`: "", `"1,000"`: "", `""`: "", `"0x10"`: "", `"1_000"`: "", `true`: "", `[1]`: "", `"NaN"`: "", `"-"`: "",
		`"e5"`: "", `"1e999999999"`: "",
	} {
		m, ok := AmountOf(fastjson.MustParse(text))
		if ok != (want != "") || ok && m.String() != want {
			t.Errorf("%s: unexpected %v, %v; want %q", text, m, ok, want)
		}
	}
}
