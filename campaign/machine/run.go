package machine

import (
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
)

// fireChain handles the due timer of a resting chain: the end of a delay, or
// the timeout of a wait.
func (m *Machine) fireChain(ch *customer.Chain) {
	p := m.set.ProgramOf(ch)
	if p == nil {
		m.end(ch, output.Exited, output.ReasonArchived, "")
		return
	}
	s, at := p.Step(ch.Step)
	if s == nil {
		m.end(ch, output.Exited, output.ReasonStepGone, ch.Step)
		return
	}
	if m.late && p.Late == program.LateExit {
		m.end(ch, output.Exited, output.ReasonLate, "")
		return
	}
	_, sends := s.Verb.(*program.Send)
	switch {
	case sends && ch.Held != nil: // also one that a pause kept from asking again
		ch.Still = false
		m.resume(ch)
		return
	case ch.Still:
		ch.Still = false
		m.moveOn(ch, ch.Step)
		return
	}
	m.moveOn(ch, m.jumpBack(p, ch, at, p.OnTimer(ch, at)))
}

// run executes steps until the chain rests or ends. Steps go forward, and back at
// most maxJumps times in a chain's life, so the number of turns is bounded.
func (m *Machine) run(ch *customer.Chain) {
	p := m.set.ProgramOf(ch)
	if p == nil {
		m.end(ch, output.Exited, output.ReasonArchived, "")
		return
	}
	if m.hold(ch) { // it has not run under this version yet
		return
	}
	ch.Version, ch.Planned = p.Version, m.set.ByName[ch.Campaign].Version
	m.look(ch)
	m.walk(p, &pendingSend{chain: ch})
}

// walk runs a chain up to its next rest, its next send, or its end.
func (m *Machine) walk(p *program.Program, t *pendingSend) {
	ch := t.chain
	for ch.Step != program.EndStep {
		s, at := p.Step(ch.Step)
		if s == nil {
			m.end(ch, output.Exited, output.ReasonStepGone, ch.Step)
			return
		}
		if ch.Held == nil { // else it came here earlier, and only asks again
			ch.Opened = m.now
		}
		ch.Due, ch.Wake, ch.Restarts = 0, 0, 0
		next, rests := p.After(at), false
		switch v := s.Verb.(type) {
		case *program.Delay:
			rests = m.delay(v, ch)
		case *program.Wait:
			next, rests = m.wait(p, v, ch, at)
		case *program.Branch:
			next = m.branch(v, ch, next)
		case *program.Send:
			m.enqueueSend(p, t, v, at)
			return
		case *program.Exit:
			m.exitStep(ch, v)
			return
		case *program.Until:
			rests = m.until(p, v, ch)
		case *program.SetProfile:
			m.setProfile(v, ch)
		case *program.Emit:
			m.emit(v, ch)
		case *program.Call:
			next, rests = m.call(p, s, v, ch, next)
		case *program.Start:
			m.start(v, ch)
		case *program.Experiment:
			next = m.experiment(p, s, v, ch, next)
		}
		if rests {
			if m.late && t.sent && ch.Due != 0 && ch.Due <= m.now {
				ch.Wake = m.now + 1 // one late send a chain at a time: the next waits for the next tick
			}
			if m.trace != nil {
				m.traceRest(p, ch)
			}
			return
		}
		ch.Step = m.jumpBack(p, ch, at, next)
	}
	m.end(ch, output.Completed, output.ReasonCompleted, "")
}

// delay arms the timer; false when the instant is not ahead.
func (m *Machine) delay(d *program.Delay, ch *customer.Chain) (rests bool) {
	base := m.now
	if d.FromEntry {
		base = ch.EnteredAt
	}
	ch.Due = base + d.For
	if ch.Due > m.now {
		return true
	}
	if m.late {
		return true // overdue again: fires by itself, so that late sends stay apart
	}
	m.planned, ch.Due = ch.Due, 0
	return false
}

// wait opens a wait; with since: entry an event that came before may close it
// at once.
func (m *Machine) wait(p *program.Program, w *program.Wait, ch *customer.Chain, at int) (next string, rests bool) {
	if w.FromEntry {
		if i := m.alreadyCame(w, ch); i >= 0 {
			return w.For[i].Target(p, at), false
		}
	}
	if w.Timeout > 0 {
		ch.Due = m.now + w.Timeout
	}
	return "", true
}

// alreadyCame is the index of the matcher that an event since the entry closes,
// -1 when none did; the first event counts, then the order of the matchers.
func (m *Machine) alreadyCame(w *program.Wait, ch *customer.Chain) int {
	trigger := m.scope.Trigger.Event
	since := func(r *customer.RecentEvent, e *event.Event) bool { return ch.IsSinceEntry(r, e, trigger) }
	best, first, at := -1, int64(0), uint64(0)
	for i := range w.For {
		e, place := m.seen(&w.For[i], ch.Campaign, since)
		if e != nil && (best < 0 || e.Time < first || e.Time == first && place < at) {
			best, first, at = i, e.Time, place
		}
	}
	return best
}

func (m *Machine) branch(b *program.Branch, ch *customer.Chain, next string) string {
	if m.trace != nil {
		m.traceBranch(b, ch)
	}
	for i := range b.Arms {
		if b.Arms[i].When == nil || m.holds(b.Arms[i].When, ch.Campaign) {
			return b.Arms[i].Goto
		}
	}
	return next
}

func (m *Machine) exitStep(ch *customer.Chain, x *program.Exit) {
	m.end(ch, output.Exited, output.ReasonExit, x.Reason)
}

// end ends a chain. Unless it simply completed or chose to exit, what it handed
// off and has not left is recalled (L3).
func (m *Machine) end(ch *customer.Chain, outcome output.Outcome, reason output.Reason, detail string) {
	step := ch.Step
	ch.Outcome, ch.EndedAt, ch.Due, ch.Wake, ch.Held = outcome, m.now, 0, 0, nil
	if e := m.c.Entry(ch.Campaign, "", false); e != nil {
		e.LastOut = m.now
	}
	if e := m.c.Entry(ch.Campaign, ch.Key, true); e != nil {
		e.LastOut = m.now
	}
	m.decideChain(ch, output.Ended, reason, step, detail)
	m.updateMaturity(ch)
	if outcome == output.ByGoal || outcome == output.Stopped || outcome == output.Preempted || outcome == output.Moved {
		m.recall(ch)
	}
	m.out.Chains = append(m.out.Chains, m.row(ch))
}

// maxJumps bounds how often one chain goes back, over all its steps.
const maxJumps = 1000

// jumpBack is where a chain really goes from step index at that wants to go to target:
// there, or to the next step in the list when target lies behind and was gone back to
// often enough.
func (m *Machine) jumpBack(p *program.Program, ch *customer.Chain, at int, target string) string {
	to, known := p.StepIndex[target]
	if !known || to > at {
		return target
	}
	i := 0
	for i < len(ch.Loops) && ch.Loops[i].Step != target {
		i++
	}
	if i == len(ch.Loops) {
		ch.Loops = append(ch.Loops, customer.LoopCount{Step: target})
	}
	if ch.Loops[i].Count >= p.Steps[to].Loop || ch.BackJumps >= maxJumps {
		return p.NextInList(at)
	}
	ch.Loops[i].Count++
	ch.BackJumps++
	ch.LastJumpAt = m.now
	return target
}
