package workload

import (
	"slices"
	"strconv"

	"github.com/nudge-engine/nudge/sim/audit"
)

// bulk scans draws broadcasts among the calls, and ends the schedules after the last: they
// would go on forever.
func (d *draw) bulkScans(w *Workload) {
	for i := range 1 + d.rng.IntN(4) {
		at := pick(d, w.Calls).At + d.rng.Int64N(3)
		w.Broadcasts = append(w.Broadcasts, Call{At: at, Event: audit.Event{
			ID: "b" + strconv.Itoa(i+1), Name: stormName, Time: at, Type: audit.TypeTrack,
			Properties: map[string]any{"value": pick(d, []float64{5, 20}), keyProperty: pick(d, []string{"A", "B"})},
		}})
	}
	if again := pick(d, w.Broadcasts); d.one(3) {
		again.At += d.rng.Int64N(duplicateWithin)
		w.Broadcasts = append(w.Broadcasts, again)
	}
	slices.SortStableFunc(w.Broadcasts, func(x, y Call) int { return int(x.At - y.At) })
	end := Edit{At: w.Calls[len(w.Calls)-1].At + d.duration().Milliseconds()}
	for _, c := range latest(w) {
		if c.Trigger.Kind == audit.KindSchedule {
			c.Trigger = audit.Trigger{Kind: audit.KindEvent, Event: "Never"}
			end.Campaigns = append(end.Campaigns, c)
		}
	}
	if len(end.Campaigns) > 0 {
		w.Edits = append(w.Edits, end)
	}
}

// latest are the campaigns after all edits.
func latest(w *Workload) []audit.Campaign {
	all := slices.Clone(w.Campaigns)
	for _, e := range w.Edits {
		for _, c := range e.Campaigns {
			i := slices.IndexFunc(all, func(o audit.Campaign) bool { return o.Name == c.Name })
			if i < 0 {
				all = append(all, c)
				continue
			}
			all[i] = c
		}
	}
	return all
}
