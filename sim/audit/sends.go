package audit

import (
	"cmp"
	"slices"
)

// pendingSend is what a chain at a send waits for: the decision, or the end of quiet hours or of a
// full cap.
type pendingSend struct {
	undecided    bool     // the decision is to be made
	held         bool     // quiet hours or a cap hold it
	channels     []string // of the messages that are to be decided
	due          int64    // for when the step was planned
	deferredRows []string // channels that have their deferred row
	waitsForCaps []string
	handed       bool // a message was handed off
	dropped      bool // a message was dropped
}

// enqueueSend has the chain wait for the decision about the messages of its step.
func (ch *chain) enqueueSend(s Step) {
	ch.send = pendingSend{undecided: true, channels: slices.Clone(s.Send.Channels), due: ch.planned}
}

// isHeld reports whether quiet hours or a cap hold the chain's messages. They do not if a new
// version has made the send another step.
func (ch *chain) isHeld() bool {
	s, _ := ch.step()
	return ch.live() && ch.send.held && s.Send != nil
}

// retrySend has held messages be decided again: now, or at the end of a pause that freezes.
func (ch *chain) retrySend() {
	if ch.campaignFreezes() {
		ch.retryBlocked = true
		return
	}
	ch.retryBlocked, ch.resumeAt = false, 0
	ch.send.undecided, ch.send.held = true, false
	ch.resting, ch.armed = false, false
}

// retryHeld has all held messages be decided again, because a record says in which time zone the
// customer is.
func (a *Auditor) retryHeld(c *customer) {
	for _, ch := range c.chains {
		if ch.isHeld() {
			a.note(NoteHeldMoved)
			ch.depth, ch.planned, ch.late = c.depth, a.now, false
			ch.retrySend()
		}
	}
}

// hasPendingSend reports whether a chain of the campaign waits for a decision.
func (c *customer) hasPendingSend(campaign int) bool {
	for _, ch := range c.chains {
		if ch.campaign == campaign && ch.live() && ch.send.undecided {
			return true
		}
	}
	return false
}

// runToQuiescence runs the chains that entered or went on, and decides the customer's sends that
// are due, one chain at a time, until all rest. Profile changes that steps made meanwhile can start
// more.
func (a *Auditor) runToQuiescence(c *customer) {
	for again := true; again; {
		a.runReady(c)
		a.decideSends(c)
		again = a.fireProfileTriggers(c)
	}
}

// decideSends decides all pending sends of the customer, in the order of arbitration.
func (a *Auditor) decideSends(c *customer) {
	for {
		var next *chain
		for _, ch := range c.chains {
			if ch.live() && ch.send.undecided && (next == nil || ch.decidedBefore(next)) {
				next = ch
			}
		}
		if next == nil {
			return
		}
		a.decideSend(next)
	}
}

// decidedBefore is the order of arbitration: transactional first, priority, due time, campaign
// name, entry number.
func (ch *chain) decidedBefore(o *chain) bool {
	return cmp.Or(
		cmp.Compare(ch.rank(), o.rank()),
		cmp.Compare(o.def.Policy.Priority, ch.def.Policy.Priority),
		cmp.Compare(ch.send.due, o.send.due),
		cmp.Compare(ch.def.Name, o.def.Name),
		cmp.Compare(ch.entry, o.entry),
	) < 0
}

// rank is 0 for a transactional send, else 1.
func (ch *chain) rank() int {
	s, _ := ch.step()
	if ch.def.category(s.Send) == Transactional {
		return 0
	}
	return 1
}

// decideSend decides the messages of a send. The chain goes on when all are decided.
func (a *Auditor) decideSend(ch *chain) {
	s, ok := ch.step()
	if !ok || s.Send == nil {
		ch.send = pendingSend{}
		ch.end(a, Exited)
		return
	}
	ch.takeVersion()
	ch.send.undecided, ch.send.waitsForCaps = false, nil
	left := ch.send.channels
	ch.send.channels = nil
	var wake int64
	failed := false
	for _, channel := range left {
		if !slices.Contains(s.Send.Channels, channel) {
			continue // a new version removed it while the send was held
		}
		v := a.checkSend(ch, s, channel)
		switch {
		case v.until != 0:
			ch.send.channels = append(ch.send.channels, channel)
			ch.send.waitsForCaps = append(ch.send.waitsForCaps, v.caps...)
			if wake == 0 || v.until < wake {
				wake = v.until
			}
			if !slices.Contains(ch.send.deferredRows, channel) {
				ch.send.deferredRows = append(ch.send.deferredRows, channel)
				a.writeDelivery(ch, s, channel, Deferred, v.reason)
			}
		case v.reason != "":
			a.writeDelivery(ch, s, channel, Dropped, v.reason)
			ch.send.dropped = true
			failed = failed || v.reason == "missing_variable"
			if v.exit {
				a.note(NoteCapExit)
				ch.end(a, Exited)
				return
			}
		default:
			a.handOff(ch, s, channel)
			ch.send.handed = true
		}
	}
	if len(ch.send.channels) > 0 {
		ch.send.held, ch.sentSinceRest = true, false
		ch.resting, ch.armed, ch.due, ch.notBefore = true, true, wake, 0
		return
	}
	dropped := ch.send.dropped && !ch.send.handed
	ch.send = pendingSend{}
	target := ""
	switch {
	case failed && s.Send.OnFail != "":
		a.note(NoteOnFail)
		target = s.Send.OnFail
	case !dropped || s.Send.OnDrop == DropNext:
	case s.Send.OnDrop == DropExit:
		a.note(NoteDropExit)
		ch.end(a, Exited)
		return
	case s.Send.OnDrop != "":
		a.note(NoteDropGoto)
		target = s.Send.OnDrop
	}
	ch.advance(target)
	ch.run(a)
}

// writeDelivery adds the row of what was decided of one message.
func (a *Auditor) writeDelivery(ch *chain, s Step, channel, status, reason string) {
	d := Delivery{
		Campaign: ch.def.Name, Version: ch.version, Customer: ch.customer.id, Key: ch.key, Entry: ch.entry,
		Step: s.ID, Channel: channel, At: a.now, Due: ch.send.due, TriggerID: ch.trigger.ID,
		Status: status, Reason: reason,
	}
	if n := len(ch.passed); n > 0 {
		d.Variant = ch.passed[n-1].Variant
	}
	a.deliveries = append(a.deliveries, d)
	ch.written()
}

// handOff hands a message off, or writes the ghost of one that a held-out chain would have sent.
func (a *Auditor) handOff(ch *chain, s Step, channel string) {
	c := ch.customer
	ch.delivered, ch.lastDelivery, ch.lastStep, ch.sentSinceRest = true, a.now, s.ID, true
	ch.updateMaturity(a)
	if slices.Contains(ch.send.deferredRows, channel) {
		a.note(NoteDeferredLeft)
	}
	if ch.heldOut {
		a.note(NoteGhost)
		a.writeDelivery(ch, s, channel, Ghost, "")
		return
	}
	a.writeDelivery(ch, s, channel, HandedOff, "")
	p := &pending{
		chain: ch, step: s.ID, channel: channel, attempt: 1, number: c.messageNumber(ch, s.ID, channel),
		expires: a.now + cmp.Or(s.Send.Expires.Milliseconds(), defaultExpires),
	}
	c.pending = append(c.pending, p)
	for _, name := range a.capsOf(ch, s, channel) {
		c.capUses = append(c.capUses, capUse{cap: name, at: a.now, delivery: p})
	}
	// A lock that the chain still holds is not prolonged.
	if key, ok := ch.dedupeKey(); ok && c.dedupeLocks[key].until <= a.now {
		c.dedupeLocks[key] = dedupeLock{ch, a.now + ch.def.Policy.DedupeWindow.Milliseconds()}
	}
}

// messageNumber returns the number of the last message handed off among those of its step and
// channel, from 0. Loops send a step more than once.
func (c *customer) messageNumber(ch *chain, step, channel string) int {
	n := 0
	for _, d := range c.a.deliveries[c.firstDelivery:] {
		if d.Status == HandedOff && d.Customer == c.id && d.Campaign == ch.def.Name && d.Entry == ch.entry &&
			d.Step == step && d.Channel == channel {
			n++
		}
	}
	return n - 1 + ch.handedBeforeMerge[step+"\x00"+channel]
}
