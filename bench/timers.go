package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// Timers is the report of the scenario of that name. Lateness is in milliseconds.
type Timers struct {
	Scenario string `json:"scenario"`
	Count    int    `json:"count"` // timers; each fires once and sends once
	// SpreadSeconds is over how long they are due: as long as it took to arm them.
	SpreadSeconds float64 `json:"spread_seconds"`
	FireP50       float64 `json:"p50_ms"` // from due until the step is decided, in log time
	FireP99       float64 `json:"p99_ms"`
	FireMax       float64 `json:"max_ms"`
	SentP50       float64 `json:"sent_p50_ms"` // from due until the channel took it
	SentP99       float64 `json:"sent_p99_ms"`
	SentMax       float64 `json:"sent_max_ms"`
	// DuePerSecond is how many fell due a second, SentPerSecond how many were sent from the
	// first that fell due to the last.
	DuePerSecond  float64  `json:"due_per_second"`
	SentPerSecond float64  `json:"sent_per_second"`
	Correct       bool     `json:"correct"`
	Wrong         []string `json:"wrong,omitempty"`
	Ledger        Ledger   `json:"ledger"`
}

// rowsSent counts the deliveries that the channel took.
const rowsSent = "SELECT countIf(status = 'sent') FROM nudge.deliveries"

// MeasureTimers arms count timers as fast as the server takes the events, due after
// delay, and looks how late they fire.
func MeasureTimers(ctx context.Context, o Options, count int, delay time.Duration) (r *Timers, err error) {
	if count < 1 || count > maxCustomers {
		return nil, fmt.Errorf("--count %d: must be from 1 to %d", count, maxCustomers)
	}
	if delay < time.Second || delay > time.Hour {
		return nil, fmt.Errorf("--delay %v: must be from 1s to 1h", delay)
	}
	o.Duration = max(o.Duration, delay)
	ctx, cancel := o.limit(ctx)
	defer cancel()
	server, err := StartServer(ctx, o.Server, []string{cartChain(delay)})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	rounds := o.rounds(count)
	r = &Timers{Scenario: "timers", Count: rounds * o.Batch * o.Connections}
	o.Progress.Stage("arming %s timers, due after %v", thousands(r.Count), delay)
	sum, err := o.cartLoad(server.batchURL()).run(ctx, func(_, n int) (time.Time, bool) {
		return time.Now(), n < rounds
	})
	if err != nil {
		return nil, server.explain(err)
	}
	r.SpreadSeconds = sum.last.Sub(sum.first).Seconds()
	o.Progress.Stage("waiting until all have fired")
	if err := pauseUntil(ctx, sum.last.Add(delay)); err != nil {
		return nil, err
	}
	for _, sql := range []string{rowsOfEvents, rowsHandedOff, rowsSent} {
		if _, err := server.awaitRows(ctx, sql, r.Count, o.Progress); err != nil {
			return nil, err
		}
	}
	return r, r.figures(ctx, server)
}

func (r *Timers) figures(ctx context.Context, s *Server) (err error) {
	late := "toUnixTimestamp64Milli(at) - toUnixTimestamp64Milli(due)"
	got, err := s.Query(ctx, "SELECT quantileExact(0.5)("+late+"), quantileExact(0.99)("+late+"), max("+late+
		"), countIf("+late+" < 0) FROM nudge.deliveries WHERE status = 'handed_off'")
	if err != nil {
		return s.explain(err)
	}
	r.FireP50, r.FireP99, r.FireMax = float64(got[0]), float64(got[1]), float64(got[2])
	if got[3] > 0 {
		r.Wrong = append(r.Wrong, fmt.Sprintf("%d timers fired before they were due", got[3]))
	}
	if got, err = s.Query(ctx, "SELECT quantileExact(0.5)("+late+"), quantileExact(0.99)("+late+
		"), max("+late+"), max(toUnixTimestamp64Milli(at)) - min(toUnixTimestamp64Milli(due)), "+
		"max(toUnixTimestamp64Milli(due)) - min(toUnixTimestamp64Milli(due)) "+
		"FROM nudge.deliveries WHERE status = 'sent'"); err != nil {
		return s.explain(err)
	}
	r.SentP50, r.SentP99, r.SentMax = float64(got[0]), float64(got[1]), float64(got[2])
	perSecond := func(ms int) float64 { return float64(r.Count) * 1000 / float64(max(1, ms)) }
	r.SentPerSecond, r.DuePerSecond = perSecond(got[3]), perSecond(got[4])
	if r.Ledger, err = s.Ledger(ctx); err != nil {
		return err
	}
	r.Wrong = append(r.Wrong, r.Ledger.check(r.Count, r.Count)...)
	r.Correct = len(r.Wrong) == 0
	return nil
}

// Table implements Report.
func (r *Timers) Table(w io.Writer) {
	fmt.Fprintf(w, "timers: %s, due over %.0f s\n", thousands(r.Count), r.SpreadSeconds)
	row(w, "late when decided, p50 / p99 / max", "%.0f / %.0f / %.0f ms", r.FireP50, r.FireP99, r.FireMax)
	row(w, "late when sent, p50 / p99 / max", "%.0f / %.0f / %.0f ms", r.SentP50, r.SentP99, r.SentMax)
	row(w, "sent a second, of those due", "%s of %s", thousands(int(r.SentPerSecond)), thousands(int(r.DuePerSecond)))
	row(w, "each once", "%s", verdict(r.Correct))
}

// Err implements Report.
func (r *Timers) Err() error { return wrongness(r.Wrong) }
