package audit

// freezeState is what a chain keeps of pauses that freeze. A pause takes hold of a customer's chains
// when something reaches the customer, at the latest at their slot; one that ended before is as if it
// had never been.
type freezeState struct {
	frozen        bool  // a pause holds it, or held it when the campaign was archived
	frozenAt      int   // position of the log at which the pause came
	frozenSlot    int64 // the customer's slot for it
	freezeReached bool  // the last pause reached the customer
	unfrozenAt    int   // position of the log at which the pause ended
	resumeAt      int64 // when it goes on, if it moved to another step meanwhile; 0: it did not
	retryBlocked  bool  // a held send was to be decided again during the pause
	exitFrozen    bool  // a pause held it when the version came that ends it
}

// campaignFreezes reports whether the version in force of the chain's campaign holds timers.
func (ch *chain) campaignFreezes() bool { return ch.customer.a.campaigns[ch.campaign].freezes() }

// waitsForResume reports whether a chain that went on to its next step during a pause waits before
// it. A chain that has come to its end does not wait.
func (ch *chain) waitsForResume() bool {
	return ch.stepID != End && (ch.campaignFreezes() || ch.resumeAt != 0)
}

// timer returns the instant of the chain's timer; ok is false if none is armed or the campaign
// holds it. A chain that is to exit keeps its timer during a pause, because a timer that comes reaches
// the customer and so ends the chain; not so if the pause came before the version that ends it.
func (ch *chain) timer() (due int64, ok bool) {
	switch {
	case !ch.live() || ch.campaignFreezes() && !ch.exiting:
		return 0, false
	case ch.exiting && ch.exitFrozen: // it ends at the slot, or when something else reaches the customer
		return 0, false
	case ch.resumeAt != 0:
		return ch.resumeAt, true
	}
	return max(ch.due, ch.notBefore), ch.armed
}

// updateFreeze has the chains of a campaign be held by a pause that freezes, or go on at the
// customer's slot after one.
func (a *Auditor) updateFreeze(c *customer, at int) {
	next := a.campaigns[at]
	for _, ch := range c.chains {
		switch {
		case ch.campaign != at || !ch.live() || next.Status == Archived:
		case next.freezes():
			// If the end of the pause before has not reached the customer, this one continues it.
			if !ch.frozen && (!ch.freezeReached || ch.unfrozenAt <= c.reachedAt) {
				ch.frozenAt, ch.frozenSlot = a.position, a.slotOf(c)
			}
			ch.frozen = true
		case !ch.frozen:
			ch.postponeResume(a)
		case !ch.resting || ch.retryBlocked: // it went on to another step, or its send is to be decided
			ch.frozen, ch.resumeAt, ch.unfrozenAt, ch.freezeReached = false, a.slotOf(c), a.position, true
		default:
			a.note(NoteResumed)
			ch.frozen, ch.unfrozenAt = false, a.position
			ch.notBefore = 0
			// A pause that did not reach the customer is as if it had never been.
			if ch.freezeReached = c.reachedAt >= ch.frozenAt || ch.frozenSlot <= a.now; ch.freezeReached {
				ch.notBefore = a.slotOf(c)
			}
		}
	}
}

// postponeResume moves the end of a pause to the slot of the version that comes now, if nothing has
// reached the customer since the version that ended the pause.
func (ch *chain) postponeResume(a *Auditor) {
	if !ch.freezeReached || ch.unfrozenAt <= ch.customer.reachedAt {
		return
	}
	if ch.resumeAt != 0 {
		ch.resumeAt = a.slotOf(ch.customer)
	}
	if ch.notBefore != 0 {
		ch.notBefore = a.slotOf(ch.customer)
	}
}

// resumeMoved has a chain go on that moved to another step while it was frozen.
func (ch *chain) resumeMoved(a *Auditor) {
	ch.resumeAt = 0
	a.note(NoteResumedMoved)
	if _, ok := ch.step(); !ok { // it ends without having run under this version
		ch.end(a, Exited)
		return
	}
	ch.late = a.now-ch.planned > lateAfter
	ch.depth = 0
	if ch.late && ch.def.Late == LateExit {
		a.note(NoteLateExit)
		ch.end(a, Exited)
		return
	}
	if ch.isHeld() {
		ch.retrySend()
		return
	}
	ch.run(a)
}
