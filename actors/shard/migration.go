package shard

import (
	"sort"

	"github.com/nudge-engine/nudge/campaign/machine"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/effect"
)

// migrationStep bounds how much of a migration one Step does, in ms of slots. Customers
// are spread evenly over machine.ReplanFor, so this is a sixtieth of them. The frame goes
// on in the next Step, as with timers.
const migrationStep = 1000

// migration moves live chains to a new version of their campaign, each customer at a slot
// of their own (machine.ReplanAt) within machine.ReplanFor after the version came, so
// that what becomes due by the change does not leave all at once. A customer whom a
// record or timer touches before their slot is moved then, with the same outcome.
//
// It is not stored but derived again from the state at recovery. It may then list
// customers who were moved already; to move them again changes nothing.
//
// Invariant: customers whose slot is at or before done were moved since every version
// that came more than ReplanFor before done.
type migration struct {
	*partition

	defs      *definitions
	customers *customerCache
	timers    *timers
	changes   *changes
	runner    *runner

	done int64 // slots up to this log time, ms, are over
	last int64 // log time, ms, at which the last new version came; 0: none came
	// slots are those still to come, sorted by time, then key.
	slots []migrationSlot
}

// migrationSlot is the log time, ms, at which a customer is moved.
type migrationSlot struct {
	at  int64
	key string
}

// plan lists the slots still to come. It takes all customers with a timer rather
// than all with a live chain, which it could not tell without loading them: every live
// chain has a timer.
func (w *migration) plan() {
	w.slots = w.slots[:0]
	for _, at := range w.defs.changes() {
		if at+machine.ReplanFor <= w.done {
			continue
		}
		w.last = max(w.last, at)
		w.customers.each(func(key string, h *resident) {
			if !h.timer.Armed() {
				return
			}
			workspace, customer := splitKey(key)
			if turn := machine.ReplanAt(at, workspace, customer); turn > w.done {
				w.slots = append(w.slots, migrationSlot{turn, key})
			}
		})
	}
	sort.Slice(w.slots, func(i, j int) bool {
		a, b := &w.slots[i], &w.slots[j]
		return a.at < b.at || a.at == b.at && a.key < b.key
	})
}

// underWay reports whether customers may still have slots to come.
func (w *migration) underWay() bool { return w.last != 0 && w.done < w.last+machine.ReplanFor }

// limit returns the log time up to which one Step migrates when log time is now.
func (w *migration) limit(now int64) int64 {
	if !w.underWay() {
		return now
	}
	return min(now, w.done+migrationStep)
}

// next returns the log time of the next slot, 0 if there is none.
func (w *migration) next() int64 {
	if len(w.slots) == 0 {
		return 0
	}
	return w.slots[0].at
}

// each calls f with the customers that the next Step migrates if log time is now.
func (w *migration) each(now int64, f func(key string)) {
	limit := w.limit(now)
	for i := range w.slots {
		if w.slots[i].at > limit {
			return
		}
		f(w.slots[i].key)
	}
}

// slice moves the customers whose slot has come, as far as limit allows. It
// reports whether all up to the present log time are moved.
func (w *migration) slice(out *effect.Effects) bool {
	limit := w.limit(w.now)
	for len(w.slots) > 0 && w.slots[0].at <= limit {
		key := w.slots[0].key
		w.slots = w.slots[1:]
		if h := w.customers.get(key); h != nil {
			w.replan(h, out)
		}
	}
	w.done = limit
	return limit >= w.now
}

// replan moves the chains of one customer to the versions in force and sets their timers
// anew.
func (w *migration) replan(h *resident, out *effect.Effects) {
	workspace := h.c.Workspace
	m := w.runner.use(workspace)
	w.runner.run(h, out, func() {
		m.Replan(h.c, w.now, &out.Output)
	}, func(detail string) {
		out.DeadLetters = append(out.DeadLetters, effect.DeadLetter{
			Workspace: workspace, Customer: h.c.ID,
			Reason: output.ReasonPanic, Field: "version", Detail: detail, At: w.now,
		})
	})
	w.changes.add(h)
	w.timers.rearm(h)
}

// after begins at a log time (ms) up to which all slots are over, as after a recovery.
func (w *migration) after(now int64) {
	w.done = now
	w.plan()
}

// pending reports whether slots are still to come.
func (w *migration) pending() bool { return len(w.slots) > 0 }
