package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/nudge-engine/nudge/internal/simulate"
)

// lifts prints what the messages of campaigns with a holdout changed, a line for each:
// conversion with and without them, the difference in percentage points, and its 95 %
// interval. It prints nothing where no campaign has a holdout.
func lifts(out console, summaries []*simulate.Summary) error {
	var w *tabwriter.Writer
	for _, s := range summaries {
		if s.Lift == nil {
			continue
		}
		// The heading is printed with the first campaign that has a holdout.
		if w == nil {
			fmt.Fprintln(out.out, "\nagainst those who were held out (customers who converted):")
			w = tabwriter.NewWriter(out.out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "campaign\ttreated\theld out\tlift (points)\t95 % interval")
		}
		l := s.Lift
		// A side without customers has no conversion to compare.
		lift, interval := "unknown", "unknown"
		if l.Lift != nil {
			lift, interval = fmt.Sprintf("%+.1f", 100**l.Lift), fmt.Sprintf("%+.1f to %+.1f", 100**l.Low, 100**l.High)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", s.Campaign, share(l.Treated), share(l.HeldOut), lift, interval)
	}
	if w == nil {
		return nil
	}
	return w.Flush()
}

// share writes a side of the comparison: "12 of 40 (30.0 %)".
func share(s simulate.Side) string {
	return fmt.Sprintf("%d of %d (%.1f %%)", s.Converted, s.Customers, 100*s.Conversion)
}
