package bench

import (
	"context"
	"fmt"
	"io"
	"time"
)

// Soak is the report of the scenario of that name: a latency run, and what it did to
// memory.
type Soak struct {
	*Latency
	Scenario string `json:"scenario"`
	// GrownMiB is how much more memory nudged had on average in the last quarter of the
	// run than in the quarter before.
	GrownMiB int `json:"grown_mib"`
}

// MeasureSoak sends rate events a second for o.Duration.
func MeasureSoak(ctx context.Context, o Options, rate float64) (*Soak, error) {
	if o.Duration < 4*time.Second {
		return nil, fmt.Errorf("--duration %v: must be at least 4s", o.Duration)
	}
	l, err := MeasureLatency(ctx, o, Load{Rate: rate})
	if err != nil {
		return nil, err
	}
	quarter := func(n int) int {
		sum, from, to := 0, n*len(l.Series)/4, (n+1)*len(l.Series)/4
		for _, s := range l.Series[from:to] {
			sum += s.Memory.Nudged
		}
		return sum / max(1, to-from)
	}
	return &Soak{Latency: l, Scenario: "soak", GrownMiB: quarter(3) - quarter(2)}, nil
}

// Table implements Report.
func (r *Soak) Table(w io.Writer) {
	r.Latency.Table(w)
	row(w, "memory MiB, last slice", "%d", r.Series[len(r.Series)-1].Memory.Nudged)
	row(w, "more than in the quarter before", "%d", r.GrownMiB)
}
