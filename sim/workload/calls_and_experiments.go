package workload

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

// CallsAndExperiments says which of these parts of the language a workload uses.
type CallsAndExperiments struct {
	Calls     bool // call steps, with and without a wait for the reply
	Calendars bool // schedules that name a calendar
	Expiring  bool // anonymous customers who are forgotten
	Deciding  bool // experiments that are decided while customers run
}

// DrawCallsAndExperiments draws about half of them.
func (f Features) DrawCallsAndExperiments(rng *rand.Rand) Features {
	yes := func() bool { return rng.IntN(2) == 0 }
	f.CallsAndExperiments = CallsAndExperiments{Calls: yes(), Deciding: yes(), Expiring: yes(), Calendars: yes()}
	// Who comes again has the delivery ids of before; with loops a harness could not tell
	// which message a result is about.
	f.Expiring = f.Expiring && !f.Loops
	return f
}

// callsAndExperiments draws what these parts add, when all else is drawn.
func (d *draw) callsAndExperiments(w *Workload) {
	if d.f.CallsAndExperiments == (CallsAndExperiments{}) {
		return
	}
	if d.f.Deciding {
		d.deciding(w)
	}
	if d.f.Calls {
		d.calling(w)
	}
	if d.f.Expiring {
		d.expiring(w)
	}
	slices.SortStableFunc(w.Edits, func(x, y Edit) int { return cmp.Compare(x.At, y.At) })
	if !d.f.Changes.Again {
		w.Edits = counting(w.Campaigns, w.Edits)
	}
	if d.f.Calendars {
		d.calendars(w)
	}
	keep(w)
}

// keep has later policies say what the first says of these parts.
func keep(w *Workload) {
	for i := range w.Edits {
		if h := w.Edits[i].Policy; h != nil {
			h.Calendars, h.Expire, h.Keep = w.Policy.Calendars, w.Policy.Expire, w.Policy.Keep
		}
	}
}
