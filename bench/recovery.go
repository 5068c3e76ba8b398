package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/valyala/fastjson"
)

// Recovery is the report of the scenario of that name.
type Recovery struct {
	Scenario  string   `json:"scenario"`
	Customers int      `json:"customers"` // each with one live chain and one timer
	Seconds   float64  `json:"seconds"`   // from the start of the process until every record is applied
	PerSecond float64  `json:"customers_per_second"`
	Memory    Memory   `json:"memory_mib"` // after it
	Checked   int      `json:"customers_checked"`
	Correct   bool     `json:"correct"`
	Wrong     []string `json:"wrong,omitempty"`
	Ledger    Ledger   `json:"ledger"`
}

// checkedCustomers is how many customers are looked at one by one.
const checkedCustomers = 200

// MeasureRecovery brings customers in, kills the server with SIGKILL while the last of
// them are not in a snapshot yet, and starts it again.
func MeasureRecovery(ctx context.Context, o Options, customers int) (r *Recovery, err error) {
	if customers < 1 || customers > maxCustomers {
		return nil, fmt.Errorf("--customers %d: must be from 1 to %d", customers, maxCustomers)
	}
	ctx, cancel := o.limit(ctx)
	defer cancel()
	server, err := StartServer(ctx, o.Server, []string{cartChain(24 * time.Hour)})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	rounds := o.rounds(customers)
	r = &Recovery{Scenario: "recovery", Customers: rounds * o.Batch * o.Connections}
	o.Progress.Stage("bringing in %s customers", thousands(r.Customers))
	sum, err := o.cartLoad(server.batchURL()).run(ctx, func(_, n int) (time.Time, bool) {
		return time.Now(), n < rounds
	})
	if err != nil {
		return nil, server.explain(err)
	}
	o.Progress.Stage("kill -9, and a start")
	took, err := server.Restart(ctx)
	if err != nil {
		return nil, err
	}
	r.Seconds = took.Seconds()
	r.PerSecond = math.Round(float64(r.Customers) / r.Seconds)
	r.Memory = server.memory()
	return r, r.check(ctx, o, server, sum.events)
}

// check looks at customers here and there, and at the rows of all.
func (r *Recovery) check(ctx context.Context, o Options, s *Server, events int) error {
	for i := range checkedCustomers {
		id := customerID(i * (r.Customers / checkedCustomers))
		live, err := s.liveChains(ctx, id)
		if err != nil {
			return s.explain(err)
		}
		if live != 1 {
			r.Wrong = append(r.Wrong, fmt.Sprintf("live chains of %s: %d; want 1", id, live))
		}
		r.Checked++
	}
	if _, err := s.awaitRows(ctx, rowsOfEvents, events, o.Progress); err != nil {
		return err
	}
	var err error
	if r.Ledger, err = s.Ledger(ctx); err != nil {
		return err
	}
	r.Wrong = append(r.Wrong, r.Ledger.check(events, 0)...)
	r.Correct = len(r.Wrong) == 0
	return nil
}

// liveChains asks the server how many live chains a customer has.
func (s *Server) liveChains(ctx context.Context, id string) (int, error) {
	text, err := s.look(ctx, "/v1/customers/"+id)
	if err != nil {
		return 0, fmt.Errorf("bench: customer %s: %w", id, err)
	}
	v, err := fastjson.Parse(text)
	if err != nil {
		return 0, fmt.Errorf("bench: customer %s: %w", id, err)
	}
	return len(v.GetArray("chains")), nil
}

// Table implements Report.
func (r *Recovery) Table(w io.Writer) {
	fmt.Fprintf(w, "recovery: %s customers after kill -9\n", thousands(r.Customers))
	row(w, "until every record is applied", "%.1f s", r.Seconds)
	row(w, "customers a second", "%s", thousands(int(r.PerSecond)))
	row(w, "memory MiB", "nudged %d, clickhoused %d", r.Memory.Nudged, r.Memory.Clickhoused)
	row(w, "nothing lost, nothing doubled", "%s", verdict(r.Correct))
}

// Err implements Report.
func (r *Recovery) Err() error { return wrongness(r.Wrong) }
