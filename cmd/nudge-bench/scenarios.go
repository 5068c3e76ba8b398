package main

import (
	"context"
	"time"

	"github.com/nudge-engine/nudge/bench"
)

// recoveryCommand measures how long a server needs to be ready after it was killed.
type recoveryCommand struct {
	Customers int    `default:"100000" help:"Customers with one live chain each."`
	Dir       string `default:"data" help:"The run's data go below it; take a real disk."`
	Programs  string `help:"Directory of nudged and clickhoused; default: beside this program."`
	Quiet     bool   `short:"q" help:"No progress."`
	JSON      string `name:"json" placeholder:"FILE" help:"Write the report to a file."`
}

// plain returns the options of scenarios that fix their workload: their figure is about
// something else than the load.
func plain(out console, programs, dir string, quiet bool) (bench.Options, error) {
	// A minute is longer than any of these scenarios sends.
	c := common{Campaigns: 10, base: base{
		Batch: 100, Connections: 64, Customers: 100_000, Seed: 1, Dir: dir, Programs: programs, Quiet: quiet,
	}}
	return c.options(out, time.Minute)
}

func (c *recoveryCommand) Help() string {
	return `Brings the customers in, kills nudged with SIGKILL and starts it again. The time
counts from the start of the process until it is ready: snapshot read, the rest of
the log applied. Then customers are looked at one by one, and all rows are counted.`
}

func (c *recoveryCommand) Run(ctx context.Context, out console) error {
	o, err := plain(out, c.Programs, c.Dir, c.Quiet)
	if err != nil {
		return err
	}
	r, err := bench.MeasureRecovery(ctx, o, c.Customers)
	if err != nil {
		return err
	}
	return show(out, r, c.JSON)
}

// timersCommand measures how late timers fire when many are due within a short time.
type timersCommand struct {
	// Each timer belongs to a customer of its own.
	Count    int           `default:"100000" help:"Timers, one a customer."`
	Delay    time.Duration `default:"30s" help:"How long after its event a timer is due."`
	Dir      string        `default:"data" help:"The run's data go below it; take a real disk."`
	Programs string        `help:"Directory of nudged and clickhoused; default: beside this program."`
	Quiet    bool          `short:"q" help:"No progress."`
	JSON     string        `name:"json" placeholder:"FILE" help:"Write the report to a file."`
}

func (c *timersCommand) Help() string {
	return `Sends one event a customer as fast as they are taken; each arms a timer that is due
after --delay and then sends one message. So they are due as close together as they
were armed. Lateness is read from the deliveries in ClickHouse.`
}

func (c *timersCommand) Run(ctx context.Context, out console) error {
	o, err := plain(out, c.Programs, c.Dir, c.Quiet)
	if err != nil {
		return err
	}
	r, err := bench.MeasureTimers(ctx, o, c.Count, c.Delay)
	if err != nil {
		return err
	}
	return show(out, r, c.JSON)
}

// outageCommand measures what the server does while ClickHouse gives no answer, and
// afterwards.
type outageCommand struct {
	common
	Duration time.Duration `default:"5s" help:"How long to send before ClickHouse stops."`
	// Away is how long ClickHouse is stopped while events go on.
	Away time.Duration `default:"10s" help:"How long it gives no answer, while events are sent."`
	JSON string        `name:"json" placeholder:"FILE" help:"Write the report to a file."`
}

func (c *outageCommand) Run(ctx context.Context, out console) error {
	o, err := c.options(out, c.Duration)
	if err != nil {
		return err
	}
	r, err := bench.MeasureOutage(ctx, o, c.Away)
	if err != nil {
		return err
	}
	return show(out, r, c.JSON)
}

// soakCommand sends at a fixed rate for a long time, to see what grows.
type soakCommand struct {
	common
	Duration time.Duration `default:"1h" help:"How long to send."`
	// Rate should be well below the throughput: a soak looks for what grows, not for a limit.
	Rate float64 `default:"5000" help:"Events a second."`
	JSON string  `name:"json" placeholder:"FILE" help:"Write the report to a file."`
}

func (c *soakCommand) Help() string {
	return `Sends at a fixed rate and keeps, for each sixtieth of the run, the latency and the
memory. Memory that grows from the second half to the end is named in the table.`
}

func (c *soakCommand) Run(ctx context.Context, out console) error {
	o, err := c.options(out, c.Duration)
	if err != nil {
		return err
	}
	r, err := bench.MeasureSoak(ctx, o, c.Rate)
	if err != nil {
		return err
	}
	return show(out, r, c.JSON)
}

// growthCommand measures which costs grow with the number of customers, campaigns, chains or
// counters.
type growthCommand struct {
	// The curves go up to these numbers, ten times as many at each point.
	Customers int    `default:"1000000" help:"Up to how many customers."`
	Campaigns int    `default:"10000" help:"Up to how many active campaigns."`
	Quiet     bool   `short:"q" help:"No progress."`
	JSON      string `name:"json" placeholder:"FILE" help:"Write the report to a file."`
}

func (c *growthCommand) Help() string {
	return `Folds events through a shard in this process, whose customers, campaigns, chains a
customer or counters a customer are ten times as many at each point. No server is
started. A cost that grew with the size would show as x10.`
}

func (c *growthCommand) Run(ctx context.Context, out console) error {
	r, err := bench.MeasureGrowth(ctx, c.Customers, c.Campaigns, progress(out, c.Quiet))
	if err != nil {
		return err
	}
	return show(out, r, c.JSON)
}

// limitsCommand measures the parts below the engine alone, as bounds for what the engine can
// reach on the same machine.
type limitsCommand struct {
	common
	Duration time.Duration `default:"3s" help:"How long to measure each part."`
	JSON     string        `name:"json" placeholder:"FILE" help:"Write the report to a file."`
}

func (c *limitsCommand) Run(ctx context.Context, out console) error {
	o, err := c.options(out, c.Duration)
	if err != nil {
		return err
	}
	r, err := bench.MeasureLimits(ctx, o)
	if err != nil {
		return err
	}
	return show(out, r, c.JSON)
}
