package workload

import (
	"time"

	"github.com/nudge-engine/nudge/sim/audit"
)

// expiring makes some customers anonymous, who are forgotten when they do nothing for a
// while. It is longer than the results of attempts are late: the deliveries of somebody who
// comes again have the ids of those before.
func (d *draw) expiring(w *Workload) {
	const day = 24 * time.Hour
	h := audit.WorkspacePolicy{}
	if w.Policy != nil {
		h = *w.Policy
	}
	h.Expire = pick(d, []time.Duration{3 * time.Hour, 6 * time.Hour, day, 3 * day, 7 * day})
	w.Policy = &h
	is := map[string]bool{}
	for i := range w.Calls {
		e := &w.Calls[i].Event
		if _, asked := is[e.Customer]; !asked {
			is[e.Customer] = !d.one(3)
		}
		if is[e.Customer] {
			e.Customer = Anonymous + e.Customer
		}
	}
}
