package machine

import (
	"slices"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
)

// pendingSend is a chain that stands at a send: it was run up to there, and goes on when the
// send is decided. It exists within one input only; a send that is deferred is kept in the chain as
// customer.Held.
type pendingSend struct {
	// chain stands at the step with index step of program, the version that it goes by.
	chain     *customer.Chain
	program   *program.Program
	step      int   // index of the send
	planned   int64 // when the send was due, ms
	resumeDue int64 // when what follows it without a rest is due, ms: later than planned after a hold
	late      bool  // its timer was more than lateAfter late
	sent      bool  // the chain sent something since it was woken

	// exempt and priority are copied from the program for before, which compares all pairs.
	exempt   bool // transactional
	priority int
	// cause is the timer whose firing brought the chain here; its rows are written under it.
	cause cause
}

// enqueue puts a chain that came to a send among those that are to be decided (L7). A send that was
// held keeps the instant at which it was first due as its place in the order, so that waiting does
// not cost it its turn.
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

// before reports whether t is decided before other. It is the total order of arbitration:
// transactional first, then the higher priority, the earlier due time, the campaign's name, the
// entry number. No two sends are equal, since a chain stands at one send at a time; caps and
// dedupe keys therefore go to the same send whatever the order in which chains were run.
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

// next removes and returns the send that comes first in the order of arbitration. It searches the
// queue each time, because chains that go on append to it.
//
// REQUIRES: undecided.
func (sd *sends) next() pendingSend {
	first := 0
	for i := range sd.queue {
		if sd.queue[i].before(&sd.queue[first]) {
			first = i
		}
	}
	t := sd.queue[first]
	sd.queue = slices.Delete(sd.queue, first, first+1)
	return t
}

// undecided reports whether any chain stands at a send.
func (sd *sends) undecided() bool { return len(sd.queue) > 0 }

// has reports whether a chain of a campaign stands at a send that is not decided yet.
func (sd *sends) has(campaign string) bool {
	return slices.ContainsFunc(sd.queue, func(t pendingSend) bool { return t.chain.Campaign == campaign })
}

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
	for m.sends.undecided() {
		t := m.sends.next()
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
