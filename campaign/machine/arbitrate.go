package machine

import (
	"slices"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/program"
)

// pendingSend is a chain that stands at a send: it was run up to there, and goes on when the
// send is decided.
type pendingSend struct {
	chain     *customer.Chain
	program   *program.Program
	step      int   // index of the send
	planned   int64 // when the send was due, ms
	resumeDue int64 // when what follows it without a rest is due, ms: later than planned after a hold
	late      bool  // its timer was more than lateAfter late
	sent      bool  // the chain sent something since it was woken

	exempt   bool // transactional
	priority int
	cause    cause
}

// enqueue puts a chain that came to a send among those that are to be decided (L7).
func (sd *sends) enqueue(p *program.Program, t *pendingSend, s *program.Send, at int) {
	t.program, t.step, t.planned, t.late = p, at, sd.planned, sd.late
	if t.planned == 0 {
		t.planned = sd.now
	}
	t.resumeDue = t.planned
	if t.chain.Held != nil {
		t.planned = t.chain.Held.Planned
	}
	t.exempt, t.priority = p.Category(s) == program.Transactional, p.Policy.Priority
	t.cause = sd.cause
	sd.queue = append(sd.queue, *t)
}

// before is the total order of arbitration: transactional first, then the higher
// priority, the earlier due time, the campaign's name, the entry number. A chain
// stands at one send at a time.
func (t *pendingSend) before(other *pendingSend) bool {
	switch {
	case t.exempt != other.exempt:
		return t.exempt
	case t.priority != other.priority:
		return t.priority > other.priority
	case t.planned != other.planned:
		return t.planned < other.planned
	}
	return t.chain.Before(other.chain)
}

// next takes the first chain of the order from those that stand at a send.
func (sd *sends) next() (t pendingSend, ok bool) {
	if len(sd.queue) == 0 {
		return pendingSend{}, false
	}
	first := 0
	for i := range sd.queue {
		if sd.queue[i].before(&sd.queue[first]) {
			first = i
		}
	}
	t = sd.queue[first]
	sd.queue = slices.Delete(sd.queue, first, first+1)
	return t, true
}

// has says whether a chain of a campaign stands at a send.
func (sd *sends) has(campaign string) bool {
	return slices.ContainsFunc(sd.queue, func(t pendingSend) bool { return t.chain.Campaign == campaign })
}

// sortOutput sorts the rows written so far; later ones come after them.
func (rs *rows) sortOutput() {
	rs.order()
	rs.segments = rs.segments[:0]
}
