package machine

import (
	"slices"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/output"
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

// enqueueSend puts a chain that came to a send among those that are to be decided (L7).
func (m *Machine) enqueueSend(p *program.Program, t *pendingSend, s *program.Send, at int) {
	t.program, t.step, t.planned, t.late = p, at, m.planned, m.late
	if t.planned == 0 {
		t.planned = m.now
	}
	t.resumeDue = t.planned
	if t.chain.Held != nil {
		t.planned = t.chain.Held.Planned
	}
	t.exempt, t.priority = p.Category(s) == program.Transactional, p.Policy.Priority
	t.cause = m.cause
	m.turns = append(m.turns, *t)
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

// nextSend takes the first chain of the order from those that stand at a send.
func (m *Machine) nextSend() (t pendingSend, ok bool) {
	if len(m.turns) == 0 {
		return pendingSend{}, false
	}
	first := 0
	for i := range m.turns {
		if m.turns[i].before(&m.turns[first]) {
			first = i
		}
	}
	t = m.turns[first]
	m.turns = slices.Delete(m.turns, first, first+1)
	return t, true
}

// resolveSends decides the sends at which chains stand, always the first by that order;
// a chain goes on after its send and may come to another.
func (m *Machine) resolveSends() {
	for {
		t, ok := m.nextSend()
		if !ok {
			return
		}
		if !t.chain.Live() {
			continue // ended by a chain of its group
		}
		m.planned, m.late, m.cause = t.planned, t.late, t.cause
		m.look(t.chain)
		from := m.mark()
		switch r := m.send(&t); {
		case r.exit.reason != output.NoReason:
			m.end(t.chain, output.Exited, r.exit.reason, r.exit.detail)
		case r.goesOn:
			t.chain.Step, t.chain.Held = m.jumpBack(t.program, t.chain, t.step, r.next), nil
			m.planned = t.resumeDue
			m.walk(t.program, &t)
		case m.trace != nil:
			m.traceRest(t.program, t.chain)
		}
		m.attribute(t.chain, from)
	}
}

// hasPendingSend says whether a chain of a campaign stands at a send.
func (m *Machine) hasPendingSend(campaign string) bool {
	return slices.ContainsFunc(m.turns, func(t pendingSend) bool { return t.chain.Campaign == campaign })
}

// rest lets everything that a record led to come to its rest, and orders the rows.
func (m *Machine) rest() {
	m.runToQuiescence()
	m.sortOutput()
}

// sortOutput sorts the rows written so far; later ones come after them.
func (m *Machine) sortOutput() {
	m.order()
	m.segments = m.segments[:0]
}

// runToQuiescence ends a record, or the timers of an instant: groups are settled, what is
// ready runs, sends are decided.
func (m *Machine) runToQuiescence() {
	for {
		m.runRound()
		if !m.hasCandidates() {
			return
		}
	}
}

// runRound settles groups, runs what is ready and decides the sends; candidates whose
// campaign had a send to be decided stay for the next round.
func (m *Machine) runRound() {
	m.settleGroups()
	m.runReady()
	m.resolveSends()
}
