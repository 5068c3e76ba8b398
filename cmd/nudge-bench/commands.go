package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/nudge-engine/nudge/bench"
)

// base are the flags of every scenario whose load can be chosen. Their defaults are those of
// the figures in the documentation.
type base struct {
	// Batch and Connections are the load: so many events a request, and so many requests at a
	// time.
	Batch       int `default:"100" help:"Events a request."`
	Connections int `default:"64" help:"Keep-alive connections; each waits for its answer."`
	// Customers come Zipf-distributed: some often, most seldom, as in a shop.
	Customers  int `default:"100000" help:"Customers, Zipf-distributed."`
	Partitions int `default:"0" help:"Partitions of the log; 0: the server's default."`
	// Seed draws the workload; the same seed gives the same events, times apart.
	Seed uint64 `default:"1" help:"Seed of the workload."`
	// Dir should be on a real disk, for fsync on a memory file system costs nothing.
	Dir      string `default:"data" help:"The run's data go below it; take a real disk."`
	Programs string `help:"Directory of nudged and clickhoused; default: beside this program."`
	Quiet    bool   `short:"q" help:"No progress."`
}

// common are the flags of the scenarios that run with one number of campaigns: those of base,
// and that number. The scenario "campaigns" compares several numbers, so it uses base alone.
type common struct {
	base
	// Campaigns answer 5 % of the events together, however many they are, so that the
	// deliveries stay the same.
	Campaigns int `default:"10" help:"Active campaigns; together they answer 5 % of the events."`
}

// options returns the options of a measurement that sends for d.
func (c *common) options(out console, d time.Duration) (bench.Options, error) {
	o, err := c.base.options(out, d)
	o.Workload.Campaigns = c.Campaigns
	return o, err
}

// options returns the options of a measurement that sends for d, with the number of campaigns
// left open. It fails early when there is no server to start.
func (c *base) options(out console, d time.Duration) (bench.Options, error) {
	programs := c.Programs
	if programs == "" {
		self, err := os.Executable()
		if err != nil {
			return bench.Options{}, fmt.Errorf("name the directory of nudged with --programs: %w", err)
		}
		programs = filepath.Dir(self)
	}
	// Nothing is measured with a server from somewhere else.
	if _, err := os.Stat(filepath.Join(programs, "nudged")); err != nil {
		return bench.Options{}, fmt.Errorf("there is no nudged in %s; run `make build`, or use --programs: %w",
			programs, err)
	}
	return bench.Options{
		Server:   bench.ServerConfig{Programs: programs, Dir: c.Dir, Partitions: c.Partitions},
		Workload: bench.Workload{Seed: c.Seed, Customers: c.Customers}, Batch: c.Batch,
		Connections: c.Connections, Duration: d, Progress: progress(out, c.Quiet),
	}, nil
}

// progress returns what shows how far a run is, on the error output; nil shows nothing.
func progress(out console, quiet bool) *bench.Progress {
	if quiet {
		return nil
	}
	return bench.NewProgress(out.err)
}

// show prints a report as a table and, if file is not empty, writes it there as JSON. Both
// happen before the error of a result that is wrong, so that it can be looked into.
func show(out console, r bench.Report, file string) error {
	// The table first: a report that cannot be written was still measured.
	r.Table(out.out)
	if file != "" {
		if err := bench.WriteJSON(file, r); err != nil {
			return err
		}
	}
	return r.Err()
}

// throughputCommand measures how many events a second get all the way to ClickHouse.
type throughputCommand struct {
	common
	Duration time.Duration `default:"10s" help:"How long to send; the bare pipe takes as long again."`
	// Webhook delivers to a receiver in this process, which counts what arrives.
	Webhook bool `help:"Deliver to a webhook in this process instead of the console."`
	// Profile costs time, so the run is then no figure.
	Profile string `placeholder:"DIR" help:"Write profiles of nudged under load: CPU, allocations, locks, a trace. The run is then no figure."`
	JSON    string `name:"json" placeholder:"FILE" help:"Write the report to a file."`
}

func (c *throughputCommand) Help() string {
	return `events/s = events whose ClickHouse row is readable, divided by the time from the
first request until the last row is readable. The limit is measured first, in the
same run: HTTP batch -> JSON check -> fsynced frame -> read back, nothing else.`
}

// Run measures and shows the report; so do the Run methods below.
func (c *throughputCommand) Run(ctx context.Context, out console) error {
	o, err := c.options(out, c.Duration)
	if err != nil {
		return err
	}
	o.Webhook, o.Profile = c.Webhook, c.Profile
	r, err := bench.MeasureThroughput(ctx, o)
	if err != nil {
		return err
	}
	return show(out, r, c.JSON)
}

// latencyCommand measures the time from an event to its delivery at a rate that the server can
// hold.
type latencyCommand struct {
	common
	Duration time.Duration `default:"10s" help:"How long to send, after a second of warm-up."`
	// Load is a share of the throughput, 0 to 1, which is estimated first; Rate goes before
	// it.
	Load    float64 `default:"0.5" help:"Share of the throughput, which is estimated first."`
	Rate    float64 `help:"Events a second instead of --load."`
	Profile string  `placeholder:"DIR" help:"Write profiles of nudged meanwhile; the run is then no figure."`
	JSON    string  `name:"json" placeholder:"FILE" help:"Write the report to a file."`
}

func (c *latencyCommand) Help() string {
	return `Batches are sent at fixed instants, whether or not the server keeps up, and the
time counts from that instant until the delivery arrives at a webhook in this
process. So a server that stalls does not hide it by being asked less.`
}

func (c *latencyCommand) Run(ctx context.Context, out console) error {
	o, err := c.options(out, c.Duration)
	if err != nil {
		return err
	}
	o.Profile = c.Profile
	r, err := bench.MeasureLatency(ctx, o, bench.Load{Share: c.Load, Rate: c.Rate})
	if err != nil {
		return err
	}
	return show(out, r, c.JSON)
}

// campaignsCommand measures whether an event costs more when there are more campaigns.
type campaignsCommand struct {
	base
	// Counts are the numbers that are compared, each on a server of its own; the ratio is the
	// last to the first.
	Counts   []int         `default:"10,10000" help:"Numbers of active campaigns, one server each; together they answer 5 % of the events."`
	Duration time.Duration `default:"10s" help:"How long to send with each."`
	JSON     string        `name:"json" placeholder:"FILE" help:"Write the report to a file."`
}

func (c *campaignsCommand) Help() string {
	return `cost_ratio is the processor time of the server (nudged and clickhoused) an event
with the last number of campaigns, over that with the first, in one run. All
campaigns look at the names of the events that are sent; an event matches one at
most. They are applied over the admin address, which is timed too.`
}

func (c *campaignsCommand) Run(ctx context.Context, out console) error {
	o, err := c.options(out, c.Duration)
	if err != nil {
		return err
	}
	r, err := bench.MeasureCampaigns(ctx, o, c.Counts)
	if err != nil {
		return err
	}
	return show(out, r, c.JSON)
}

// customersCommand measures the memory of a live customer.
type customersCommand struct {
	// Count customers get a chain and a timer each.
	Count int    `default:"100000" help:"Customers to bring in."`
	Quiet bool   `short:"q" help:"No progress."`
	JSON  string `name:"json" placeholder:"FILE" help:"Write the report to a file."`
}

func (c *customersCommand) Help() string {
	return `Folds one event a customer through a shard in this process and looks at the heap
before and after. No server is started.`
}

func (c *customersCommand) Run(ctx context.Context, out console) error {
	r, err := bench.MeasureCustomers(ctx, c.Count, progress(out, c.Quiet))
	if err != nil {
		return err
	}
	return show(out, r, c.JSON)
}
