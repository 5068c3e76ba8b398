package workload

import "github.com/nudge-engine/nudge/sim/audit"

// again has campaigns stop to count what they count and count it again later, and others
// have another re-entry mode, whether they have a key or not.
func (d *draw) again(w *Workload) {
	for range 2 + d.rng.IntN(3) {
		c := pick(d, latest(w))
		at := pick(d, w.Calls).At
		other := c
		other.Trigger = d.trigger()
		other.Trigger.Kind, other.Trigger.Where = audit.KindEvent, nil
		other.Audience, other.Recheck, other.Existing = nil, false, false
		w.Edits = append(w.Edits, Edit{At: at, Campaigns: []audit.Campaign{other}},
			Edit{At: at + d.duration().Milliseconds(), Campaigns: []audit.Campaign{c}})
	}
	for range 2 + d.rng.IntN(4) {
		c := pick(d, latest(w))
		r := d.reentry()
		r.KeyProperty = c.Reentry.KeyProperty
		c.Reentry = r
		w.Edits = append(w.Edits, Edit{At: pick(d, w.Calls).At, Campaigns: []audit.Campaign{c}})
	}
}
