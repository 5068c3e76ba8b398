package workload

import (
	"slices"

	"github.com/nudge-engine/nudge/sim/audit"
)

// statuses has some versions say what becomes of live chains, and campaigns rest and come
// again.
func (d *draw) statuses(w *Workload) {
	w.Edits = slices.Clone(w.Edits)
	defer d.drafts(w)
	for i := range w.Edits {
		for j := range w.Edits[i].Campaigns {
			w.Edits[i].Campaigns[j].InFlight = pick(d, []string{"", audit.Pin, audit.Exit})
		}
	}
	for range 2 + d.rng.IntN(4) {
		c := pick(d, w.Campaigns)
		if !rests(&c) {
			continue
		}
		at := pick(d, w.Calls).At
		if d.one(2) {
			c.Steps = reachable(d.retimed(c.Steps))
		}
		c.InFlight = pick(d, []string{"", audit.Pin, audit.Pin, audit.Exit})
		c.Status = pick(d, []string{"", audit.Paused, audit.Paused, audit.Archived})
		w.Edits = append(w.Edits, Edit{At: at, Campaigns: []audit.Campaign{c}})
		if c.Status != "" && !d.one(3) {
			c.Status = ""
			w.Edits = append(w.Edits, Edit{At: at + d.duration().Milliseconds(), Campaigns: []audit.Campaign{c}})
		}
	}
}

// drafts has some campaigns begin as drafts, without chains; a later version is active.
func (d *draw) drafts(w *Workload) {
	for i := range w.Campaigns {
		if c := &w.Campaigns[i]; rests(c) && d.one(4) {
			active := *c
			c.Status = audit.Draft
			at := pick(d, w.Calls[:1+len(w.Calls)/3]).At
			w.Edits = append(w.Edits, Edit{At: at, Campaigns: []audit.Campaign{active}})
		}
	}
}

// rests says whether the campaign may be out of force for a while: it counts nothing that
// would be forgotten meanwhile.
func rests(c *audit.Campaign) bool {
	return c.Trigger.Kind == audit.KindEvent || c.Trigger.Kind == audit.KindWebhook
}
