package machine

import (
	"bytes"
	"slices"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
)

// fire handles the due timer of a resting chain: the end of a delay or of a hold, or the timeout of a
// wait. The chain runs afterwards, with the others that the instant woke.
//
// A chain whose campaign or step is gone ends here, as does a late one of a campaign with "late: exit".
func (cs *chains) fire(ch *customer.Chain) {
	p := cs.set.ProgramOf(ch)
	if p == nil {
		cs.end(ch, output.Exited, output.ReasonArchived, "")
		return
	}
	s, at := p.Step(ch.Step)
	if s == nil {
		cs.end(ch, output.Exited, output.ReasonStepGone, ch.Step)
		return
	}
	if cs.late && p.Late == program.LateExit {
		cs.end(ch, output.Exited, output.ReasonLate, "")
		return
	}
	_, sends := s.Verb.(*program.Send)
	switch {
	case sends && ch.Held != nil: // also one that a pause kept from asking again
		ch.Still = false
		cs.resume(ch)
		return
	case ch.Still:
		ch.Still = false
		cs.moveOn(ch, ch.Step)
		return
	}
	cs.moveOn(ch, cs.jumpBack(p, ch, at, p.OnTimer(ch, at)))
}

// run executes the steps of a chain from where it is until it rests, stands at a send or ends. From
// here on the chain goes by the version that is in force for it, so its row names that version.
func (cs *chains) run(ch *customer.Chain) {
	p := cs.set.ProgramOf(ch)
	if p == nil {
		cs.end(ch, output.Exited, output.ReasonArchived, "")
		return
	}
	if cs.hold(ch) { // it has not run under this version yet
		return
	}
	ch.Version, ch.Planned = p.Version, cs.set.ByName[ch.Campaign].Version
	cs.look(ch)
	cs.walk(p, &pendingSend{chain: ch})
}

// walk runs a chain up to its next rest, its next send, or its end. t is the chain's place at a send,
// reused when it comes to one.
//
// It ends: steps lead forward, and back at most maxJumps times in a chain's life.
func (cs *chains) walk(p *program.Program, t *pendingSend) {
	ch := t.chain
	for ch.Step != program.EndStep {
		s, at := p.Step(ch.Step)
		if s == nil {
			cs.end(ch, output.Exited, output.ReasonStepGone, ch.Step)
			return
		}
		if ch.Held == nil { // else it came here earlier, and only asks again
			ch.Opened = cs.now
		}
		ch.Due, ch.Wake, ch.Restarts = 0, 0, 0
		next, rests := p.After(at), false
		switch v := s.Verb.(type) {
		case *program.Delay:
			rests = cs.delay(v, ch)
		case *program.Wait:
			next, rests = cs.wait(p, v, ch, at)
		case *program.Branch:
			next = cs.branch(v, ch, next)
		case *program.Send:
			cs.sends.enqueue(p, t, v, at)
			return
		case *program.Exit:
			cs.exitStep(ch, v)
			return
		case *program.Until:
			rests = cs.until(p, v, ch)
		case *program.SetProfile:
			cs.setProfile(v, ch)
		case *program.Emit:
			cs.emitter.emit(v, ch)
		case *program.Call:
			next, rests = cs.sends.call(p, s, v, ch, next)
		case *program.Start:
			cs.emitter.start(v, ch)
		case *program.Experiment:
			next = cs.experiments.assign(p, s, v, ch, next)
		}
		if rests {
			if cs.late && t.sent && ch.Due != 0 && ch.Due <= cs.now {
				ch.Wake = cs.now + 1 // one late send a chain at a time: the next waits for the next tick
			}
			if cs.trace != nil {
				cs.explainRest(p, ch)
			}
			return
		}
		ch.Step = cs.jumpBack(p, ch, at, next)
	}
	cs.end(ch, output.Completed, output.ReasonCompleted, "")
}

// delay arms the timer of a delay and reports whether the chain rests. A delay that is over already is
// passed at once, and the chain goes on as if its timer had fired then.
func (cs *chains) delay(d *program.Delay, ch *customer.Chain) (rests bool) {
	base := cs.now
	if d.FromEntry {
		base = ch.EnteredAt
	}
	ch.Due = base + d.For
	if ch.Due > cs.now {
		return true
	}
	if cs.late {
		return true // overdue again: fires by itself, so that late sends stay apart
	}
	cs.planned, ch.Due = ch.Due, 0
	return false
}

// wait opens a wait and reports whether the chain rests there. One with since: entry may be closed at
// once by an event that came before; then next is where that leads.
func (cs *chains) wait(p *program.Program, w *program.Wait, ch *customer.Chain, at int) (next string, rests bool) {
	if w.FromEntry {
		if i := cs.alreadyCame(w, ch); i >= 0 {
			return w.For[i].Target(p, at), false
		}
	}
	if w.Timeout > 0 {
		ch.Due = cs.now + w.Timeout
	}
	return "", true
}

// alreadyCame returns the index of the matcher that an event since the entry closes, -1 when none did.
// The event that happened first counts, then the one that came first, then the order of the matchers.
func (cs *chains) alreadyCame(w *program.Wait, ch *customer.Chain) int {
	trigger := cs.scope.Trigger.Event
	since := func(r *customer.RecentEvent, e *event.Event) bool { return ch.IsSinceEntry(r, e, trigger) }
	best, first, at := -1, int64(0), uint64(0)
	for i := range w.For {
		e, place := cs.matching.seen(&w.For[i], ch.Campaign, since)
		if e != nil && (best < 0 || e.Time < first || e.Time == first && place < at) {
			best, first, at = i, e.Time, place
		}
	}
	return best
}

// branch returns the target of the first arm that holds, else next. An arm that fails is recorded and
// does not hold.
func (cs *chains) branch(b *program.Branch, ch *customer.Chain, next string) string {
	if cs.trace != nil {
		cs.explainBranch(b, ch)
	}
	for i := range b.Arms {
		if b.Arms[i].When == nil || cs.holds(b.Arms[i].When, ch.Campaign) {
			return b.Arms[i].Goto
		}
	}
	return next
}

// exitStep ends a chain at an exit step, with the reason that the step gives.
func (cs *chains) exitStep(ch *customer.Chain, x *program.Exit) {
	cs.end(ch, output.Exited, output.ReasonExit, x.Reason)
}

// maxJumps bounds how often one chain goes back, over all its steps, whatever their loops allow.
const maxJumps = 1000

// jumpBack returns the step to which a chain really goes that wants to go from step index at to target.
// That is target, unless it lies behind and was gone back to as often as its loop allows: then the
// chain goes on to the next step in the list, so that a loop always has an end.
func (cs *chains) jumpBack(p *program.Program, ch *customer.Chain, at int, target string) string {
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
	ch.LastJumpAt = cs.now
	return target
}

// until arms the timer for the next allowed local instant, at or after now, and reports whether the
// chain rests. A chain that goes back to the step at the very instant at which it rested there waits
// for the next, else the loop would run in place.
func (cs *chains) until(p *program.Program, u *program.Until, ch *customer.Chain) (rests bool) {
	if ch.Due = cs.zones.nextLocal(p, u, ch.UntilFrom(cs.now)); ch.Due > cs.now {
		return true
	}
	cs.planned, ch.Due = ch.Due, 0
	return false
}

// setProfile changes traits and tags at once: the next step sees it. Triggers see it at the end of the
// input; changed keeps when the step was due, since that is when what they start was due.
func (cs *chains) setProfile(v *program.SetProfile, ch *customer.Chain) {
	traits, tags := cs.c.Traits, cs.c.Tags
	if len(v.Traits) > 0 {
		update := cs.object(v.Traits, ch)
		if cs.changeTraits(update) {
			cs.profile.stampTraits(update, cs.now)
		}
	}
	for _, tag := range v.Add {
		cs.c.Tag(tag)
	}
	for _, tag := range v.Remove {
		cs.c.Untag(tag)
	}
	if !bytes.Equal(traits, cs.c.Traits) || !slices.Equal(tags, cs.c.Tags) {
		cs.changed = occasion{cs.planned, cs.late}
	}
	cs.out.decideChain(ch, output.Updated, output.NoReason, ch.Step, "")
}
