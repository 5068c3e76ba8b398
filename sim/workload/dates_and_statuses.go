package workload

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"github.com/nudge-engine/nudge/sim/audit"
)

// DrawDatesAndStatuses draws whether campaigns have date triggers, and other statuses for a while.
func (f Features) DrawDatesAndStatuses(rng *rand.Rand) Features {
	f.Dates = rng.IntN(3) == 0
	f.Statuses = rng.IntN(3) == 0
	return f
}

// datesAndStatuses draws what these parts add, when all else is drawn.
func (d *draw) datesAndStatuses(w *Workload) {
	if !d.f.Dates && !d.f.Statuses {
		return
	}
	if d.f.Dates {
		d.dates(w)
	}
	if d.f.Statuses {
		d.statuses(w)
	}
	slices.SortStableFunc(w.Edits, func(x, y Edit) int { return cmp.Compare(x.At, y.At) })
	w.Edits = counting(w.Campaigns, w.Edits)
	d.end(w)
}

// end takes away, after the last call, what would go on forever.
func (d *draw) end(w *Workload) {
	last := w.Calls[len(w.Calls)-1].At
	if len(w.Edits) > 0 {
		last = max(last, w.Edits[len(w.Edits)-1].At)
	}
	end := Edit{At: last + d.duration().Milliseconds()}
	for _, c := range endless(w) {
		c.Trigger = audit.Trigger{Kind: audit.KindEvent, Event: "Never"}
		end.Campaigns = append(end.Campaigns, c)
	}
	if len(end.Campaigns) > 0 {
		w.Edits = append(w.Edits, end)
	}
}
