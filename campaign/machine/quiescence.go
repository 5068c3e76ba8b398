package machine

import (
	"github.com/nudge-engine/nudge/campaign/output"
)

// rest lets everything that a record led to come to its rest, and orders the rows.
func (m *Machine) rest() {
	m.runToQuiescence()
	m.rows.sortOutput()
}

// runToQuiescence ends a record, or the timers of an instant: groups are settled, what is
// ready runs, sends are decided.
func (m *Machine) runToQuiescence() {
	for {
		m.runRound()
		if !m.entries.hasCandidates() {
			return
		}
	}
}

// runRound settles groups, runs what is ready and decides the sends; candidates whose
// campaign had a send to be decided stay for the next round.
func (m *Machine) runRound() {
	m.entries.settleGroups()
	m.chains.runReady()
	m.resolveSends()
}

// resolveSends decides the sends at which chains stand, always the first by that order;
// a chain goes on after its send and may come to another.
func (m *Machine) resolveSends() {
	for {
		t, ok := m.sends.next()
		if !ok {
			return
		}
		if !t.chain.Live() {
			continue // ended by a chain of its group
		}
		m.planned, m.late, m.cause = t.planned, t.late, t.cause
		m.look(t.chain)
		from := m.rows.mark()
		switch r := m.sends.send(&t); {
		case r.exit.reason != output.NoReason:
			m.chains.end(t.chain, output.Exited, r.exit.reason, r.exit.detail)
		case r.goesOn:
			t.chain.Step, t.chain.Held = m.chains.jumpBack(t.program, t.chain, t.step, r.next), nil
			m.planned = t.resumeDue
			m.chains.walk(t.program, &t)
		case m.trace != nil:
			m.chains.explainRest(t.program, t.chain)
		}
		m.rows.attribute(t.chain, from)
	}
}
