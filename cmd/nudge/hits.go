package main

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/ops/backtest"
)

// maxHitDays bounds how far back hits are counted: ten years, which no log reaches.
const maxHitDays = 3660

// hitOptions are the flags of nudge simulate that ask how often triggers would have been hit.
type hitOptions struct {
	// Hits is a number of days; 0: hits are not counted.
	Hits     int    `placeholder:"DAYS" help:"Say how many customers hit each trigger in the last DAYS days of the calls, and how often."`
	HitValue string `placeholder:"PROPERTY" help:"With --hits: sum this property of the events that hit, for example total."`
}

// validate checks the flags together.
func (o *hitOptions) validate() error {
	switch {
	case o.Hits < 0 || o.Hits > maxHitDays:
		return fmt.Errorf("--hits %d: must be from 1 to %d", o.Hits, maxHitDays)
	case o.HitValue != "" && o.Hits == 0:
		return errors.New("--hit-value goes with --hits")
	}
	return nil
}

// printHits shows the hits as a table, a line for each campaign.
func printHits(out console, h *backtest.Hits, names []string) error {
	fmt.Fprintf(out.out, "\nhits of the last %d days, to %s:\n", h.Days, unit.FormatTime(h.Last()))
	w := tabwriter.NewWriter(out.out, 0, 0, 2, ' ', 0)
	// The sum has a column only when it was asked for.
	head := []string{"campaign", "customers", "hits", "entered"}
	if h.Property != "" {
		head = append(head, "sum of "+h.Property)
	}
	fmt.Fprintln(w, strings.Join(head, "\t"))
	for _, row := range h.Rows(names) {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d", row.Campaign, row.Customers, row.Hits, row.Entered)
		if h.Property != "" {
			fmt.Fprintf(w, "\t%s", &row.Sum)
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}
