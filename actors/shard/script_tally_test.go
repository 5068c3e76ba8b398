package shard

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nudge-engine/nudge/actors/shard/experiment"
	"github.com/nudge-engine/nudge/campaign/unit"
)

// tally prints what the shard counted: for each variant and hour converted/exposed.
func (w *scriptWorld) tally() {
	all := w.shard.ExperimentCounts()
	slices.SortFunc(
		all,
		func(a, b experiment.Counts) int { return strings.Compare(a.Campaign+"/"+a.Step, b.Campaign+"/"+b.Step) },
	)
	for _, t := range all {
		if t.First == 0 {
			continue
		}
		fmt.Fprintf(&w.out, "%s %s from %s\n", t.Campaign, t.Step, stamp(t.First))
		for _, v := range t.Variants {
			for _, r := range v.Rows {
				at := "not known yet"
				if r.Hour != 0 {
					at = stamp(r.Hour * unit.HourMillis)
				}
				fmt.Fprintf(&w.out, "  %s %d/%d %s\n", v.Variant, r.Conversions, r.Exposures, at)
			}
		}
	}
}
