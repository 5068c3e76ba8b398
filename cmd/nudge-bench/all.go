package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nudge-engine/nudge/bench"
)

type allCommand struct {
	common
	Duration time.Duration `default:"5s" help:"How long to send in each scenario."`
	JSON     string        `name:"json" placeholder:"FILE" help:"Write the reports to a file, by scenario."`
}

// Run runs the scenarios one after another; one that fails does not keep the
// next from running.
func (c *allCommand) Run(ctx context.Context, out console) error {
	o, err := c.options(out, c.Duration)
	if err != nil {
		return err
	}
	var errs []error
	reports := map[string]bench.Report{}
	keep := func(name string, r bench.Report, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
			return
		}
		reports[name] = r
		errs = append(errs, r.Err())
	}
	customers, err := bench.MeasureCustomers(ctx, c.Customers, o.Progress)
	keep("customers", customers, err)
	throughput, err := bench.MeasureThroughput(ctx, o)
	keep("throughput", throughput, err)
	latency, err := bench.MeasureLatency(ctx, o, bench.Load{Share: 0.5})
	keep("latency", latency, err)
	for _, name := range []string{"throughput", "latency", "customers"} {
		if r, ok := reports[name]; ok {
			fmt.Fprintln(out.out)
			r.Table(out.out)
		}
	}
	if c.JSON != "" {
		errs = append(errs, bench.WriteJSON(c.JSON, reports))
	}
	return errors.Join(errs...)
}
