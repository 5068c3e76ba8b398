package program

import (
	"testing"

	"github.com/nudge-engine/nudge/campaign/expr"
)

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
		{up, expr.Decimal(1 - 0.3), false},
		{down, expr.Decimal(0.1 + 0.2), false},
		{down, 0.3001, true},
	} {
		if got := x.t.Back(x.v); got != x.want {
			t.Errorf("back to %v from %v: unexpected %v", x.v, x.t.At, got)
		}
	}
	for got, want := range map[float64]float64{
		expr.Decimal(1 - 0.9): 0.1, expr.Decimal(12345678901234567): 12345678901234567, expr.Decimal(-0.30000000000000004): -0.3,
	} {
		if got != want {
			t.Errorf("unexpected %v; want %v", got, want)
		}
	}
}
