package jsonvalue

import (
	"testing"

	"github.com/valyala/fastjson"
)

func TestYesOrNo(t *testing.T) {
	for text, want := range map[string][2]bool{
		`true`: {true, true}, `"true"`: {true, true}, `"YES"`: {true, true}, `" yes "`: {true, true}, `1`: {true, true},
		`1.0`: {true, true}, `"1"`: {true, true}, `false`: {false, true}, `"False"`: {false, true}, `0`: {false, true},
		`"no"`: {false, true}, `"0"`: {false, true}, `null`: {}, `""`: {}, `"on"`: {}, `2`: {}, `-1`: {}, `[true]`: {},
		`{"granted":true}`: {}, `"trues"`: {},
	} {
		if yes, ok := YesOrNo(fastjson.MustParse(text)); yes != want[0] || ok != want[1] {
			t.Errorf("%s: unexpected %v, %v; want %v", text, yes, ok, want)
		}
	}
	if _, ok := YesOrNo(nil); ok {
		t.Error("a missing value says something")
	}
}

func TestSameIdentifier(t *testing.T) {
	for _, x := range []struct {
		a, b string
		want bool
	}{
		{`7`, `"7"`, true},
		{`7.0`, `"7"`, true},
		{`1e2`, `"100"`, true},
		{`12345678901234567890`, `"12345678901234567890"`, true},
		{`12345678901234567890`, `12345678901234567891`, false},
		{`7.50`, `7.5`, true},
		{`7.5`, `"7.5"`, true},
		{`"07"`, `7`, false},
		{`true`, `"true"`, true},
		{`0`, `-0`, true},
		{`null`, `null`, true},
		{`null`, `"null"`, false},
		{`[7]`, `[7.0]`, true},
		{`[7]`, `"7"`, false},
	} {
		if got := SameIdentifier(fastjson.MustParse(x.a), fastjson.MustParse(x.b)); got != x.want {
			t.Errorf("%s and %s: unexpected %v", x.a, x.b, got)
		}
	}
	if SameIdentifier(nil, nil) || SameIdentifier(nil, fastjson.MustParse(`1`)) {
		t.Error("a missing property is the same as something")
	}
}

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
		if got := Equal(a, b); got != c.want || Equal(b, a) != got {
			t.Errorf("%s and %s: equal is %v; want %v", c.a, c.b, got, c.want)
		}
	}
}

// A whole number and its text are one id.
func TestIdentifier(t *testing.T) {
	for text, want := range map[string]string{
		`"u"`: "u", `17`: "17", `1e3`: "1000", `1.0`: "1", `-5`: "-5", `-0`: "0", `12345678901234567890`: "12345678901234567890",
		`""`: "",
	} {
		got, ok := Identifier(fastjson.MustParse(text))
		if !ok || got != want {
			t.Errorf("%s: unexpected id %q, %v; want %q", text, got, ok, want)
		}
	}
	for _, text := range []string{`1.5`, `1e300`, `1e-7`, `true`, `null`, `["u"]`, `{}`} {
		if got, ok := Identifier(fastjson.MustParse(text)); ok {
			t.Errorf("%s is the id %q; want none", text, got)
		}
	}
}
