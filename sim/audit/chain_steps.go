package audit

import "slices"

// run goes through steps until the chain rests, comes to a send, or ends.
func (ch *chain) run(a *Auditor) {
	ch.takeVersion()
	for ch.stepID != End {
		ch.timerFrom = a.now
		s, ok := ch.step()
		switch {
		case !ok:
			ch.end(a, Exited)
			return
		case s.Delay != nil:
			due := a.now + s.Delay.For.Milliseconds()
			if s.Delay.FromEntry {
				due = ch.enteredAt + s.Delay.For.Milliseconds()
			}
			if due > a.now || ch.late {
				sent := ch.sentSinceRest
				ch.rest(due, true)
				if due <= a.now && sent {
					ch.notBefore = a.now + 1 // one late send a chain at a time
				}
				return
			}
			ch.planned = due // the delay is over already
			ch.advance("")
		case s.Until != nil:
			if due := a.nextLocal(ch, s.Until, a.now); due > a.now {
				ch.rest(due, true)
				return
			}
			ch.planned = a.now
			ch.advance("")
		case s.Wait != nil:
			target, ok := ch.lookBack()
			if !ok {
				ch.rest(a.now+s.Wait.Timeout.Milliseconds(), s.Wait.Timeout != 0)
				return
			}
			ch.advance(target)
		case s.Send != nil:
			ch.enqueueSend(s)
			return
		case s.Branch != nil:
			ch.advance(ch.branchTarget(s.Branch))
		case s.Call != nil:
			if ch.makeCall(a, s); ch.resting {
				return
			}
		case s.Exit:
			ch.end(a, Exited)
			return
		default:
			ch.advance(ch.runImmediate(a, s))
		}
	}
	ch.end(a, Completed)
}

// takeVersion notes that the chain runs under the version by which it goes.
func (ch *chain) takeVersion() {
	ch.version = ch.def.Version
	if !slices.Contains(ch.unwritten, ch.version) {
		ch.unwritten = append(ch.unwritten, ch.version)
	}
}

// written notes that a row of the chain was written, which shows the version under which it runs. One
// that only moves on from one rest to another leaves the row as it is.
func (ch *chain) written() { ch.unwritten = []int{ch.version} }

// runReady runs the customer's chains that entered or went on, until each rests.
func (a *Auditor) runReady(c *customer) {
	for _, ch := range c.chainsInOrder() {
		if ch.live() && !ch.resting && !ch.send.undecided && !ch.waitsForResume() {
			ch.run(a)
		}
	}
}

// rest has the chain wait at its step, with a timer if armed.
func (ch *chain) rest(due int64, timed bool) {
	ch.resting, ch.armed, ch.due, ch.notBefore = true, timed, due, 0
	ch.restarts, ch.late, ch.sentSinceRest = 0, false, false
}

// advance moves the chain on from its step: to the target, or without one to where the step leads.
func (ch *chain) advance(target string) {
	ch.resting, ch.armed, ch.send = false, false, pendingSend{}
	i := ch.index()
	if target == "" {
		target = ch.def.Steps[i].Goto
	}
	if to := ch.indexOf(target); to >= 0 && to <= i { // a jump back, as often as the step's loop allows
		if ch.backJumps[target] < ch.def.Steps[to].Loop {
			ch.backJumps[target]++
			ch.lastJumpAt = ch.customer.a.now
		} else {
			target = ""
			ch.customer.a.note(NoteLoop)
		}
	}
	switch {
	case target != "":
		ch.stepID = target
	case i+1 < len(ch.def.Steps):
		ch.stepID = ch.def.Steps[i+1].ID
	default:
		ch.stepID = End
	}
}

// branchTarget returns where a branch leads.
func (ch *chain) branchTarget(b *Branch) (target string) {
	for _, arm := range b.Arms {
		if arm.When.holds(scene{event: ch.trigger, trigger: ch.trigger, customer: ch.customer, reply: ch.reply}) {
			return arm.Goto
		}
	}
	return ""
}

// fireTimer is the chain's timer. A chain ends if a new version has no step of the id at which the
// chain is.
func (ch *chain) fireTimer(a *Auditor) {
	if ch.resumeAt != 0 {
		ch.resumeMoved(a)
		return
	}
	s, ok := ch.step()
	if !ok {
		ch.end(a, Exited)
		return
	}
	if ch.def != a.campaigns[ch.campaign] {
		a.note(NotePinned)
	}
	ch.late = a.now-ch.due > lateAfter
	ch.depth = 0
	if ch.late && ch.def.Late == LateExit {
		a.note(NoteLateExit)
		ch.end(a, Exited)
		return
	}
	ch.planned = ch.due // what follows a held send is planned for the end of the hold
	if ch.isHeld() {
		ch.retrySend()
		return
	}
	target := ""
	if s.Wait != nil {
		target = s.Wait.OnTimeout
	}
	if s.Call != nil {
		target = s.Call.OnFail
	}
	ch.advance(target)
	ch.run(a)
}
