package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"
)

// Outage is the report of the scenario of that name.
type Outage struct {
	Scenario       string   `json:"scenario"`
	AwaySeconds    float64  `json:"away_seconds"`
	Before         float64  `json:"accepted_per_second_before"`
	During         float64  `json:"accepted_per_second_during"`
	KeptShare      float64  `json:"kept_share"`       // of the rate before
	CatchUpSeconds float64  `json:"catch_up_seconds"` // from its return until every row is readable
	Events         int      `json:"events"`
	Correct        bool     `json:"correct"`
	Wrong          []string `json:"wrong,omitempty"`
	Ledger         Ledger   `json:"ledger"`
}

// MeasureOutage sends for o.Duration, then for away while ClickHouse gives no answer (its
// process is stopped), then lets it go on.
func MeasureOutage(ctx context.Context, o Options, away time.Duration) (r *Outage, err error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if away < time.Second || away > time.Hour {
		return nil, fmt.Errorf("--away %v: must be from 1s to 1h", away)
	}
	ctx, cancel := o.limit(ctx)
	defer cancel()
	server, err := StartServer(ctx, o.Server, o.Workload.Definitions(""))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	r = &Outage{Scenario: "outage", AwaySeconds: away.Seconds()}
	o.Progress.Stage("sending for %v with ClickHouse", o.Duration)
	before, err := o.load(server.batchURL(), 0).closedLoop(ctx, o.Duration)
	if err != nil {
		return nil, server.explain(err)
	}
	r.Before = float64(before.events) / before.last.Sub(before.first).Seconds()
	child := server.child()
	if child == 0 {
		return nil, errors.New("bench: the server's ClickHouse process is not found; this scenario needs Linux")
	}
	if err := syscall.Kill(child, syscall.SIGSTOP); err != nil {
		return nil, fmt.Errorf("bench: stop ClickHouse: %w", err)
	}
	o.Progress.Stage("sending for %v without ClickHouse", away)
	during, sendErr := o.load(server.batchURL(), o.Connections).closedLoop(ctx, away)
	back := time.Now()
	if err := errors.Join(sendErr, syscall.Kill(child, syscall.SIGCONT)); err != nil {
		return nil, server.explain(err)
	}
	r.During = float64(during.events) / during.last.Sub(during.first).Seconds()
	r.KeptShare = r.During / r.Before
	r.Events = before.events + during.events
	o.Progress.Stage("ClickHouse is back")
	readable, err := server.awaitRows(ctx, rowsOfEvents, r.Events, o.Progress)
	if err != nil {
		return nil, err
	}
	r.CatchUpSeconds = readable.Sub(back).Seconds()
	deliveries := before.deliveries + during.deliveries
	if _, err := server.awaitRows(ctx, rowsHandedOff, deliveries, o.Progress); err != nil {
		return nil, err
	}
	if r.Ledger, err = server.Ledger(ctx); err != nil {
		return nil, err
	}
	r.Wrong = r.Ledger.check(r.Events, deliveries)
	r.Correct = len(r.Wrong) == 0
	return r, nil
}

// Table implements Report.
func (r *Outage) Table(w io.Writer) {
	fmt.Fprintf(w, "outage: ClickHouse away for %.0f s\n", r.AwaySeconds)
	row(w, "accepted a second, before", "%s", thousands(int(r.Before)))
	row(w, "accepted a second, meanwhile", "%s (%.2f)", thousands(int(r.During)), r.KeptShare)
	row(w, "caught up after", "%.1f s", r.CatchUpSeconds)
	row(w, "nothing lost, nothing doubled", "%s", verdict(r.Correct))
}

// Err implements Report.
func (r *Outage) Err() error { return wrongness(r.Wrong) }
