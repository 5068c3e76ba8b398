package campaign

import (
	"reflect"
	"testing"

	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/internal/goldentest"
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
		if got := sameIdentifier(fastjson.MustParse(x.a), fastjson.MustParse(x.b)); got != x.want {
			t.Errorf("%s and %s: unexpected %v", x.a, x.b, got)
		}
	}
	if sameIdentifier(nil, nil) || sameIdentifier(nil, fastjson.MustParse(`1`)) {
		t.Error("a missing property is the same as something")
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

// Binary arithmetic does not show where numbers are compared with a threshold.
func TestThresholdIsDecimal(t *testing.T) {
	up := &ThresholdTrigger{At: 0.8, Hysteresis: 0.1}
	down := &ThresholdTrigger{At: 0.2, Hysteresis: 0.1, Down: true}
	for _, x := range []struct {
		t    *ThresholdTrigger
		v    float64
		want bool
	}{
		{up, 0.7, false},
		{up, 0.6999, true},
		{up, decimal(1 - 0.3), false},
		{down, decimal(0.1 + 0.2), false},
		{down, 0.3001, true},
	} {
		if got := x.t.back(x.v); got != x.want {
			t.Errorf("back to %v from %v: unexpected %v", x.v, x.t.At, got)
		}
	}
	for got, want := range map[float64]float64{
		decimal(1 - 0.9): 0.1, decimal(12345678901234567): 12345678901234567, decimal(-0.30000000000000004): -0.3,
	} {
		if got != want {
			t.Errorf("unexpected %v; want %v", got, want)
		}
	}
}

// Faults that were recorded, and the zone of the device, are stored.
func TestNotedSections(t *testing.T) {
	c := fullCustomer()
	c.noted = []string{"bad_number\x00\x00Order.total"}
	c.device = contextZone{name: "Europe/Kyiv", at: 9000}
	b := c.AppendTo(nil)
	goldentest.Bytes(t, "customer_noted.v2", b)
	got, err := DecodeCustomer(b, nil)
	if err != nil || !reflect.DeepEqual(got, c) {
		t.Errorf("unexpected customer %+v, error %v; want %+v", got, err, c)
	}
}
