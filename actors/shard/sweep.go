package shard

import (
	"sort"

	"github.com/nudge-engine/nudge/campaign/machine"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/effect"
)

// sweepStep bounds how much of a sweep one Step does, in ms of the customers' turns; the
// frame goes on in the next Step, as with timers.
const sweepStep = 1000

// sweep re-plans the customers with live chains after a campaign got a new version, each
// at its turn (machine.ReplanAt). Whoever a record or timer touches before that is
// re-planned then; the outcome is the same. It is derived from the state: what is in it
// beyond the customers who need it changes nothing.
//
// Invariant: customers whose turn is at or before done were visited since every new
// version that came more than ReplanFor before done.
type sweep struct {
	done   int64 // turns up to here are over
	last   int64 // when the last new version came, log time
	visits []visit
}

// visit is a customer's turn.
type visit struct {
	at  int64
	key string
}

// planSweep plans the turns that are still to come, of all customers with a timer: every
// live chain has one.
func (s *Shard) planSweep() {
	s.sweep.visits = s.sweep.visits[:0]
	for _, at := range s.defs.changes() {
		if at+machine.ReplanFor <= s.sweep.done {
			continue
		}
		s.sweep.last = max(s.sweep.last, at)
		for key, h := range s.customers.all { //nudge:unordered sorted below
			if !h.timer.Armed() {
				continue
			}
			workspace, customer := splitKey(key)
			if turn := machine.ReplanAt(at, workspace, customer); turn > s.sweep.done {
				s.sweep.visits = append(s.sweep.visits, visit{turn, key})
			}
		}
	}
	sort.Slice(s.sweep.visits, func(i, j int) bool {
		a, b := &s.sweep.visits[i], &s.sweep.visits[j]
		return a.at < b.at || a.at == b.at && a.key < b.key
	})
}

// underWay says whether customers may have their turns still to come.
func (w *sweep) underWay() bool { return w.last != 0 && w.done < w.last+machine.ReplanFor }

// limit is how far the sweep goes in one Step at log time now.
func (w *sweep) limit(now int64) int64 {
	if !w.underWay() {
		return now
	}
	return min(now, w.done+sweepStep)
}

// next is the next turn, 0 when there is none.
func (w *sweep) next() int64 {
	if len(w.visits) == 0 {
		return 0
	}
	return w.visits[0].at
}

// each calls f with the customers whose turn comes in the next Step at log time now.
func (w *sweep) each(now int64, f func(key string)) {
	limit := w.limit(now)
	for i := range w.visits {
		if w.visits[i].at > limit {
			return
		}
		f(w.visits[i].key)
	}
}

// sweepOn re-plans the customers whose turn has come; false when more have.
func (s *Shard) sweepOn(out *effect.Effects) bool {
	limit := s.sweep.limit(s.now)
	for len(s.sweep.visits) > 0 && s.sweep.visits[0].at <= limit {
		key := s.sweep.visits[0].key
		s.sweep.visits = s.sweep.visits[1:]
		if h := s.customers.get(key); h != nil {
			s.replan(h, out)
		}
	}
	s.sweep.done = limit
	return limit >= s.now
}

func (s *Shard) replan(h *hosted, out *effect.Effects) {
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
