package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/nudge-engine/nudge/bench"
)

// allCommand runs every scenario and writes one report.
type allCommand struct {
	common
	// Duration is for each scenario; the outage and the soak have times of their own beside
	// it.
	Duration time.Duration `default:"5s" help:"How long to send in each scenario."`
	// Large takes ten times the customers and campaigns.
	Large bool   `help:"A million customers and timers, ten thousand campaigns: takes some minutes more."`
	JSON  string `name:"json" placeholder:"FILE" help:"Write the reports to a file, by scenario."`
	HTML  string `name:"html" placeholder:"FILE" help:"Write one page with a table and plots."`
	// Compare is a file that an earlier run has written with --json.
	Compare string `placeholder:"FILE" help:"Show the figures beside those of an earlier run's JSON."`
}

func (c *allCommand) Help() string {
	return `Runs every scenario, one after another, and prints a table; the soak is a short one.
A scenario
whose result is wrong ends the run with status 1, after the others ran.`
}

// Run runs the scenarios one after another; one that fails does not keep the next from
// running. All errors are returned together at the end, after the reports are written.
func (c *allCommand) Run(ctx context.Context, out console) error {
	o, err := c.options(out, c.Duration)
	if err != nil {
		return err
	}
	// The earlier run is read before anything is measured: a file that is missing should not
	// cost an hour.
	var earlier []bench.Figure
	if c.Compare != "" {
		if earlier, err = bench.ReadFigures(c.Compare); err != nil {
			return err
		}
	}
	all := &bench.All{Machine: machine(), Reports: map[string]bench.Report{}}
	var errs []error
	scenarios, leftOut := c.scenarios(o)
	// An interrupt ends the scenario that runs; what was measured before is still written.
	for _, s := range scenarios {
		if ctx.Err() != nil {
			break
		}
		r, err := s.run(ctx)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.name, err))
			continue
		}
		all.Reports[s.name] = r
		// A report that is wrong is kept with the others and makes the run fail in the end.
		errs = append(errs, r.Err())
		fmt.Fprintln(out.out)
		r.Table(out.out)
	}
	if leftOut != nil {
		fmt.Fprintf(out.out, "\npeers: left out: %v\n", leftOut)
	}
	// The figures of the table at the end are computed from all reports.
	all.Sum()
	if earlier != nil {
		fmt.Fprintln(out.out)
		all.WriteComparison(out.out, earlier)
	}
	if c.JSON != "" {
		errs = append(errs, bench.WriteJSON(c.JSON, all))
	}
	if c.HTML != "" {
		errs = append(errs, all.WriteHTML(c.HTML, earlier))
	}
	return errors.Join(append(errs, ctx.Err())...)
}

// scenario is a measurement and its name in the report, which --compare looks for.
type scenario struct {
	name string
	run  func(context.Context) (bench.Report, error)
}

// How long, and at which rate, the soak of a whole run takes: long enough for its sixtieth
// parts to mean something, and slow enough for any machine.
const (
	shortSoak = 20 * time.Second
	soakRate  = 5000 // events a second
)

// scenarios returns what all runs, in this order: what is measured alone comes first, so that
// nothing before it has warmed up or filled the machine. leftOut says why the peers are not
// among them; nil when they are.
func (c *allCommand) scenarios(o bench.Options) (_ []scenario, leftOut error) {
	// The usual run, and with --large one that is ten times as large.
	customers, campaigns := 100_000, 1000
	if c.Large {
		customers, campaigns = 1_000_000, 10_000
	}
	// How long after its event a timer is due, and how long ClickHouse is away.
	const delay, away = 30 * time.Second, 5 * time.Second
	all := []scenario{
		{"limits", as(func(ctx context.Context) (*bench.Limits, error) { return bench.MeasureLimits(ctx, o) })},
		{"customers", as(func(ctx context.Context) (*bench.Customers, error) {
			return bench.MeasureCustomers(ctx, customers, o.Progress)
		})},
		// Batches of the usual size, of one event and of a thousand: what a request costs, and
		// what an event costs.
		{"throughput", throughput(o, o.Batch)},
		{"throughput-1", throughput(o, 1)},
		{"throughput-1000", throughput(o, 1000)},
		{"campaigns", as(func(ctx context.Context) (*bench.Campaigns, error) {
			return bench.MeasureCampaigns(ctx, o, []int{10, campaigns})
		})},
		// At half, a quarter and three quarters of what the machine takes.
		{"latency", latency(o, 0.5)},
		{"latency-25", latency(o, 0.25)},
		{"latency-75", latency(o, 0.75)},
		{"growth", as(func(ctx context.Context) (*bench.Growth, error) {
			return bench.MeasureGrowth(ctx, customers, campaigns, o.Progress)
		})},
		{"timers", as(func(ctx context.Context) (*bench.Timers, error) {
			return bench.MeasureTimers(ctx, o, customers, delay)
		})},
		{"recovery", as(func(ctx context.Context) (*bench.Recovery, error) {
			return bench.MeasureRecovery(ctx, o, customers)
		})},
		{"soak", as(func(ctx context.Context) (*bench.Soak, error) {
			// A copy: the soak is longer than the other scenarios.
			o := o
			o.Duration = max(shortSoak, o.Duration)
			return bench.MeasureSoak(ctx, o, soakRate)
		})},
		{"outage", as(func(ctx context.Context) (*bench.Outage, error) { return bench.MeasureOutage(ctx, o, away) })},
	}
	// Without PostgreSQL, or outside of the repository, there is nothing to compare with.
	peer, leftOut := bench.PeerConfig{Source: riverSource}.Ready()
	if leftOut != nil {
		return all, leftOut
	}
	return append(all, scenario{"peers", as(func(ctx context.Context) (*bench.Peers, error) {
		return bench.MeasurePeers(ctx, o, peer)
	})}), nil
}

// throughput returns a measurement of the throughput with batches of another size.
func throughput(o bench.Options, batch int) func(context.Context) (bench.Report, error) {
	o.Batch = batch
	return as(func(ctx context.Context) (*bench.Throughput, error) { return bench.MeasureThroughput(ctx, o) })
}

// latency returns a measurement of the latency at a share, 0 to 1, of the most that this
// machine takes.
func latency(o bench.Options, share float64) func(context.Context) (bench.Report, error) {
	return as(func(ctx context.Context) (*bench.Latency, error) {
		return bench.MeasureLatency(ctx, o, bench.Load{Share: share})
	})
}

// as makes a measurement return an interface. When it fails it returns nil itself: a nil
// pointer in an interface would not be nil.
func as[R bench.Report](measure func(context.Context) (R, error)) func(context.Context) (bench.Report, error) {
	return func(ctx context.Context) (bench.Report, error) {
		r, err := measure(ctx)
		if err != nil {
			return nil, err
		}
		return r, nil
	}
}

// machine describes where this ran, for the head of a report: cores, processor model, system,
// Go version and time.
func machine() string {
	model := runtime.GOARCH
	// Only Linux has it; elsewhere the architecture must do.
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%d cores (%s), %s, %s, %s", runtime.NumCPU(), model, runtime.GOOS, runtime.Version(),
		time.Now().UTC().Format("2006-01-02 15:04 MST"))
}
