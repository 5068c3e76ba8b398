package shard

import (
	"sort"

	"github.com/nudge-engine/nudge/campaign/machine"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/effect"
)

// migrationStep bounds how much of a sweep one Step does, in ms of the customers' turns; the
// frame goes on in the next Step, as with timers.
const migrationStep = 1000

// migration re-plans the customers with live chains after a campaign got a new version, each
// at its turn (machine.ReplanAt). A customer whom a record or timer touches before that is
// re-planned then; the outcome is the same. It is derived from the state: what is in it
// beyond the customers who need it changes nothing.
//
// Invariant: customers whose turn is at or before done were visited since every new
// version that came more than ReplanFor before done.
type migration struct {
	done  int64 // turns up to here are over
	last  int64 // when the last new version came, log time
	slots []migrationSlot
}

// migrationSlot is a customer's turn.
type migrationSlot struct {
	at  int64
	key string
}

// planMigration plans the turns that are still to come, of all customers with a timer: every
// live chain has one.
func (s *Shard) planMigration() {
	s.migration.slots = s.migration.slots[:0]
	for _, at := range s.defs.changes() {
		if at+machine.ReplanFor <= s.migration.done {
			continue
		}
		s.migration.last = max(s.migration.last, at)
		for key, h := range s.customers.all { //nudge:unordered sorted below
			if !h.timer.Armed() {
				continue
			}
			workspace, customer := splitKey(key)
			if turn := machine.ReplanAt(at, workspace, customer); turn > s.migration.done {
				s.migration.slots = append(s.migration.slots, migrationSlot{turn, key})
			}
		}
	}
	sort.Slice(s.migration.slots, func(i, j int) bool {
		a, b := &s.migration.slots[i], &s.migration.slots[j]
		return a.at < b.at || a.at == b.at && a.key < b.key
	})
}

// underWay says whether customers may have their turns still to come.
func (w *migration) underWay() bool { return w.last != 0 && w.done < w.last+machine.ReplanFor }

// limit is how far the sweep goes in one Step at log time now.
func (w *migration) limit(now int64) int64 {
	if !w.underWay() {
		return now
	}
	return min(now, w.done+migrationStep)
}

// next is the next turn, 0 when there is none.
func (w *migration) next() int64 {
	if len(w.slots) == 0 {
		return 0
	}
	return w.slots[0].at
}

// each calls f with the customers whose turn comes in the next Step at log time now.
func (w *migration) each(now int64, f func(key string)) {
	limit := w.limit(now)
	for i := range w.slots {
		if w.slots[i].at > limit {
			return
		}
		f(w.slots[i].key)
	}
}

// migrateSlice re-plans the customers whose turn has come; false when more have.
func (s *Shard) migrateSlice(out *effect.Effects) bool {
	limit := s.migration.limit(s.now)
	for len(s.migration.slots) > 0 && s.migration.slots[0].at <= limit {
		key := s.migration.slots[0].key
		s.migration.slots = s.migration.slots[1:]
		if h := s.customers.get(key); h != nil {
			s.replan(h, out)
		}
	}
	s.migration.done = limit
	return limit >= s.now
}

func (s *Shard) replan(h *resident, out *effect.Effects) {
	workspace := h.c.Workspace
	s.machine.Use(s.defs.set(workspace))
	s.guard(h, out, func() {
		s.machine.Replan(h.c, s.now, &out.Output)
	}, func(detail string) {
		out.DeadLetters = append(out.DeadLetters, effect.DeadLetter{
			Workspace: workspace, Customer: h.c.ID,
			Reason: output.ReasonPanic, Field: "version", Detail: detail, At: s.now,
		})
	})
	s.markDirty(h)
	s.rearm(h)
}
