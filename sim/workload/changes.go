package workload

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/nudge-engine/nudge/sim/audit"
)

// Changes says what changes in a workload while customers run: pauses, what is there when a campaign
// comes, definitions and policies under live chains.
type Changes struct {
	Pauses   bool // pauses that freeze, or keep what would start chains
	Existing bool // campaigns that come when customers are there, and enter them
	Timed    bool // statuses of campaigns whose triggers count or look at time
	Policies bool // a policy that changes while chains run
	Again    bool // counters that are asked for again; re-entry modes that change where there is a key
}

// DrawChanges draws about half of them.
func (f Features) DrawChanges(rng *rand.Rand) Features {
	yes := func() bool { return rng.IntN(2) == 0 }
	f.Changes = Changes{Pauses: yes(), Existing: yes(), Timed: yes(), Policies: yes(), Again: yes()}
	return f
}

// changes draws what these parts add, when all else is drawn.
func (d *draw) changes(w *Workload) {
	if d.f.Changes == (Changes{}) {
		return
	}
	w.Edits = withoutFinalEdits(w.Edits)
	last := w.Calls[len(w.Calls)-1].At + time.Hour.Milliseconds()
	if d.f.Changes.Existing {
		d.existing(w)
	}
	if d.f.Changes.Timed {
		d.timed(w)
	}
	if d.f.Changes.Again {
		d.again(w)
	}
	if d.f.Changes.Policies {
		d.policies(w)
	}
	if d.f.Changes.Pauses {
		d.pauses(w)
	}
	// What goes on for long after the last call makes a world slow and shows nothing new.
	w.Edits = slices.DeleteFunc(w.Edits, func(e Edit) bool { return e.At > last })
	w.Calls = slices.DeleteFunc(w.Calls, func(c Call) bool { return c.At > last })
	slices.SortStableFunc(w.Edits, func(x, y Edit) int { return cmp.Compare(x.At, y.At) })
	if !d.f.Changes.Again {
		w.Edits = counting(w.Campaigns, w.Edits)
	}
	d.endAll(w)
}

// withoutFinalEdits leaves out what takes away what would go on forever: more is to come.
func withoutFinalEdits(edits []Edit) []Edit {
	edits = slices.Clone(edits)
	for i := range edits {
		edits[i].Campaigns = slices.DeleteFunc(slices.Clone(edits[i].Campaigns), func(c audit.Campaign) bool {
			return c.Trigger.Event == never
		})
	}
	return slices.DeleteFunc(edits, func(e Edit) bool { return len(e.Campaigns) == 0 && e.Policy == nil })
}

// ends takes away what would go on forever where that was left out.
func (d *draw) ends(w *Workload) {
	for _, c := range latest(w) {
		if c.Trigger.Kind == audit.KindSchedule || c.Trigger.Repeat != "" {
			d.endAll(w)
			return
		}
	}
}

// endAll takes away, after the last call and edit, what would go on forever: schedules and
// dates that repeat.
func (d *draw) endAll(w *Workload) {
	last := w.Calls[len(w.Calls)-1].At
	if len(w.Edits) > 0 {
		last = max(last, w.Edits[len(w.Edits)-1].At)
	}
	end := Edit{At: last + d.duration().Milliseconds()}
	for _, c := range latest(w) {
		if c.Trigger.Kind == audit.KindSchedule || c.Trigger.Repeat != "" {
			c.Trigger = audit.Trigger{Kind: audit.KindEvent, Event: never}
			end.Campaigns = append(end.Campaigns, c)
		}
	}
	if len(end.Campaigns) > 0 {
		w.Edits = append(w.Edits, end)
	}
}

// never is an event that does not happen.
const never = "Never"
