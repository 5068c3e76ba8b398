package workload

import (
	"strconv"

	"github.com/nudge-engine/nudge/sim/audit"
)

// existing has campaigns come when customers are there already, mostly to ask them in; some
// are drafts first, or say so only later.
func (d *draw) existing(w *Workload) {
	for i := range 2 + d.rng.IntN(3) {
		c := d.campaign("camp-" + strconv.Itoa(i+1) + "e")
		c.Reentry.KeyProperty = ""
		switch d.rng.IntN(5) {
		case 0, 1:
			c.Trigger = audit.Trigger{Kind: audit.KindSegment, When: d.about(audit.SubjectCustomer)}
			for k := range c.Trigger.When.All { // a longer window keeps what a shorter one of the event has
				c.Trigger.When.All[k].Window = 0
			}
		case 2:
			c.Trigger = audit.Trigger{
				Kind: audit.KindThreshold, Path: "score", Down: d.one(2), At: 3, Hysteresis: pick(d, []float64{0, 1}),
			}
		case 3:
			c.Trigger = audit.Trigger{Kind: audit.KindInactivity, Event: pick(d, d.events), For: d.duration()}
		default:
			c.Trigger = audit.Trigger{Kind: audit.KindCount, Event: pick(d, d.events), Reaches: 1 + d.rng.IntN(3)}
		}
		c.Existing = !d.one(3)
		at := pick(d, w.Calls).At + pick(d, []int64{0, 1})
		if d.one(3) {
			first := c
			if d.one(2) {
				first.Status = audit.Draft
			} else {
				first.Existing = false
			}
			w.Edits = append(w.Edits, Edit{At: at, Campaigns: []audit.Campaign{first}})
			at += d.duration().Milliseconds()
		}
		w.Edits = append(w.Edits, Edit{At: at, Campaigns: []audit.Campaign{c}})
	}
}
