package campaign

import (
	"math"
	"testing"

	"github.com/valyala/fastjson"
)

// Numbers are compared by value wherever they stand, objects whatever their order.
func TestEqualJSON(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"5", "5.0", true},
		{"5", "\"5\"", false},
		{"[1,2]", "[1,2.0]", true},
		{"[1,2]", "[2,1]", false},
		{"[1]", "[1,1]", false},
		{`{"a":{"n":5},"b":1}`, `{"b":1.0,"a":{"n":5.0}}`, true},
		{`{"a":1}`, `{"a":1,"b":1}`, false},
		{`{"a":1}`, `{"b":1}`, false},
		{"true", "true", true},
		{"true", "false", false},
	} {
		a, b := fastjson.MustParse(c.a), fastjson.MustParse(c.b)
		if got := equalJSON(a, b); got != c.want || equalJSON(b, a) != got {
			t.Errorf("%s and %s: equal is %v; want %v", c.a, c.b, got, c.want)
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
