package main

import (
	"fmt"
	"sort"
	"strconv"
	"text/tabwriter"

	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/simulate"
)

// capped are the reasons for which policies drop deliveries. They are one column: which of them it
// was matters less than that the message did not go out.
//
//nudge:constant read only
var capped = []output.Reason{
	output.ReasonCap, output.ReasonConflict, output.ReasonDedupe, output.ReasonQuiet,
}

// difference prints what changes from one run to another, a line for each campaign by name. A
// campaign that only one run has counts as 0 in the other.
func difference(out console, one, other []*simulate.Summary) error {
	// Campaigns of both runs, each with its summary in either.
	names := map[string][2]*simulate.Summary{}
	for _, s := range one {
		names[s.Campaign] = [2]*simulate.Summary{s, new(simulate.Summary)}
	}
	for _, s := range other {
		pair := names[s.Campaign]
		if pair[0] == nil {
			pair[0] = new(simulate.Summary)
		}
		names[s.Campaign] = [2]*simulate.Summary{pair[0], s}
	}
	sorted := make([]string, 0, len(names))
	for name := range names {
		sorted = append(sorted, name)
	}
	sort.Strings(sorted)
	fmt.Fprintln(out.out, "\nagainst the other definitions (these -> the others):")
	// Figures of the first run, an arrow and those of the other.
	w := tabwriter.NewWriter(out.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "campaign\tentered\tsent\tcapped\tconverted")
	for _, name := range sorted {
		a, b := names[name][0], names[name][1]
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", name, change(a.Entered, b.Entered), change(sum(a.Sent), sum(b.Sent)),
			change(cappedOf(a), cappedOf(b)), change(a.Converted, b.Converted))
	}
	return w.Flush()
}

// change writes "3 -> 5 (+2)", or "3" when nothing changes.
func change(from, to int) string {
	if from == to {
		return strconv.Itoa(from)
	}
	return fmt.Sprintf("%d -> %d (%+d)", from, to, to-from)
}

// sum returns the total of the counts by step.
func sum(m map[string]int) int {
	total := 0
	for _, n := range m {
		total += n
	}
	return total
}

// cappedOf returns how many deliveries of a campaign policies dropped.
func cappedOf(s *simulate.Summary) int {
	total := 0
	for _, reason := range capped {
		total += s.Dropped[string(reason)]
	}
	return total
}
