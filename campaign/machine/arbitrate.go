package machine

import (
	"slices"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/program"
)

// turn is a chain that stands at a send: it was run up to there, and goes on when the
// send is decided.
type turn struct {
	chain   *customer.Chain
	program *program.Program
	step    int   // index of the send
	planned int64 // when the send was due, ms
	onward  int64 // when what follows it without a rest is due, ms: later than planned after a hold
	late    bool  // its timer was more than lateAfter late
	sent    bool  // the chain sent something since it was woken

	exempt   bool // transactional
	priority int
	cause    cause
}

// stand puts a chain that came to a send among those that are to be decided (L7).
func (m *Machine) stand(p *program.Program, t *turn, s *program.Send, at int) {
	t.program, t.step, t.planned, t.late = p, at, m.planned, m.late
	if t.planned == 0 {
		t.planned = m.now
	}
	t.onward = t.planned
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
func (t *turn) before(other *turn) bool {
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

// arbitrate decides the sends at which chains stand, always the first by that order;
// a chain goes on after its send and may come to another.
func (m *Machine) arbitrate() {
	for len(m.turns) > 0 {
		first := 0
		for i := range m.turns {
			if m.turns[i].before(&m.turns[first]) {
				first = i
			}
		}
		t := m.turns[first]
		m.turns = slices.Delete(m.turns, first, first+1)
		if !t.chain.Live() {
			continue // ended by a chain of its group
		}
		m.planned, m.late, m.cause = t.planned, t.late, t.cause
		m.look(t.chain)
		from := m.mark()
		if next, goesOn := m.send(&t); goesOn {
			t.chain.Step, t.chain.Held = m.leap(t.program, t.chain, t.step, next), nil
			m.planned = t.onward
			m.walk(t.program, &t)
		}
		m.wrote(t.chain, from)
	}
}

// stands says whether a chain of a campaign stands at a send.
func (m *Machine) stands(campaign string) bool {
	return slices.ContainsFunc(m.turns, func(t turn) bool { return t.chain.Campaign == campaign })
}

// rest lets everything that a record led to come to its rest, and orders the rows.
func (m *Machine) rest() {
	m.conclude()
	m.ordered()
}

// ordered brings the rows into their order; what is written after it stands behind them.
func (m *Machine) ordered() {
	m.order()
	m.segments = m.segments[:0]
}

// conclude ends a record, or the timers of an instant: groups are settled, what is
// ready runs, sends are decided.
func (m *Machine) conclude() {
	for {
		m.settleGroups()
		m.runReady()
		m.arbitrate()
		if len(m.candidates) == 0 {
			return
		}
	}
}
