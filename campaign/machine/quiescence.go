package machine

import (
	"github.com/nudge-engine/nudge/campaign/output"
)

// rest runs what an input led to until every chain rests, and puts the rows of it in order.
func (m *Machine) rest() {
	m.runToQuiescence()
	m.rows.sortOutput()
}

// runToQuiescence runs rounds until no entry waits for its group any more. It ends: each round decides
// the sends that kept candidates waiting.
func (m *Machine) runToQuiescence() {
	for {
		m.runRound()
		if !m.entries.hasCandidates() {
			return
		}
	}
}

// runRound settles groups, runs what is ready and decides the sends, in this order: entries first,
// so that all chains that come to a send at one instant compete for caps. Candidates whose
// campaign had a send to be decided stay for the next round.
func (m *Machine) runRound() {
	m.entries.settleGroups()
	m.chains.runReady()
	m.resolveSends()
}

// resolveSends decides the sends at which chains stand, one after another, always the first in the order
// of arbitration. A chain goes on after its send at once and may come to another, which then competes
// with those that are left.
//
// planned, late and cause are put back to what they were when the chain came to its send, since other
// chains have run in between.
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
