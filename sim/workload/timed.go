package workload

import (
	"slices"

	"github.com/nudge-engine/nudge/sim/audit"
)

// timed has campaigns whose triggers count or look at time be drafts first, or be out of
// force for a while; some look at something else afterwards.
func (d *draw) timed(w *Workload) {
	looks := func(c audit.Campaign) bool { return !rests(&c) }
	for i := range w.Campaigns {
		if c := &w.Campaigns[i]; looks(*c) && d.one(4) {
			active := *c
			c.Status = audit.Draft
			at := pick(d, w.Calls[:1+len(w.Calls)/2]).At
			w.Edits = append(w.Edits, Edit{At: at, Campaigns: []audit.Campaign{active}})
		}
	}
	for range 3 + d.rng.IntN(4) {
		all := slices.DeleteFunc(latest(w), func(c audit.Campaign) bool { return !looks(c) })
		if len(all) == 0 {
			return
		}
		c := pick(d, all)
		at := d.starter(w, &c).At + pick(d, []int64{0, 1, d.duration().Milliseconds()})
		c.Status = pick(d, []string{audit.Paused, audit.Archived, audit.Archived})
		w.Edits = append(w.Edits, Edit{At: at, Campaigns: []audit.Campaign{c}})
		if d.one(5) {
			continue
		}
		c.Status = ""
		if c.Trigger.Kind == audit.KindSegment && d.one(3) {
			c.Trigger.When = d.about(audit.SubjectCustomer)
		}
		w.Edits = append(w.Edits, Edit{At: at + d.duration().Milliseconds(), Campaigns: []audit.Campaign{c}})
	}
}
