package campaign

import "testing"

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
