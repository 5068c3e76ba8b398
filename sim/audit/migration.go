package audit

import "slices"

// Customers follow a new version each in a slot of their own within migrationTime after it. A frame
// that passes over slots does so in steps of slotStep, each of which also goes on with the bulk
// scan. Both are in ms.
const (
	migrationTime = 60_000
	slotStep      = 1000
)

// slotOf returns the customer's slot for following what is applied now.
func (a *Auditor) slotOf(c *customer) int64 {
	if a.Slot == nil {
		return a.now
	}
	return a.Slot(a.now, c.id)
}

// addFutureSlots gives a new customer the slots that are still to come.
func (a *Auditor) addFutureSlots(c *customer) {
	for i, def := range a.campaigns {
		at, ok := a.versionAt[def.Name]
		if !ok || a.Slot == nil {
			continue
		}
		if slot := a.Slot(at, c.id); slot > a.now {
			c.states[i].slot = slot
		}
	}
}

// applyVersion has live chains go by the new version of the campaign with index at: they follow it,
// keep old, or are to exit.
func (a *Auditor) applyVersion(at int, old Campaign) {
	next := a.campaigns[at]
	a.lastVersionAt = a.now
	a.versionAt[next.Name] = a.now
	for _, c := range a.customers {
		for i := range c.states {
			if s := &c.states[i]; i == at {
				s.slot = a.slotOf(c)
			} else if s.slot < a.now {
				s.slot = 0
			}
		}
		for _, ch := range c.chains {
			if ch.campaign == at && !ch.exiting {
				ch.exitFrozen = ch.frozen && c.reachedAt >= ch.frozenAt
			}
			if ch.campaign == at && ch.exitByArchive && next.Status != Archived {
				ch.exiting, ch.exitByArchive = false, false // a version came that is not archived
			}
			if ch.campaign == at && ch.live() && next.Status == Archived && !ch.exiting {
				ch.exiting, ch.exitByArchive = true, true
			}
			switch {
			case ch.campaign != at:
			case ch.live() && next.InFlight == Exit:
				ch.exiting, ch.exitByArchive = true, false
				if ch.unfrozenAt > c.reachedAt { // it has not gone on since the pause
					ch.armed, ch.resumeAt = false, 0
				}
			case next.InFlight == Pin: // an ended chain is measured by its old version too
				if ch.def == next {
					ch.def = &old
				}
				ch.postponePinned(a)
			default:
				ch.def = next
				ch.replan(a)
			}
		}
		a.updateFreeze(c, at)
	}
}

// replanState is what replan last did to the timer of a chain.
type replanState struct {
	replanDue   int64 // the new instant by the text, without the slot
	replannedAt int   // position of the log
	replanSlot  int64
	dueBefore   int64 // the timer before
	armedBefore bool
}

// replan gives a resting chain the timer that its step now asks for, counted from when the timer
// began. Where the step is gone or rests no longer, the timer stays.
func (ch *chain) replan(a *Auditor) {
	// The version before never reached the customer, so its timer never was theirs.
	skipped := ch.replannedAt > ch.customer.reachedAt
	if skipped && ch.live() && ch.resting {
		ch.due, ch.armed = ch.dueBefore, ch.armedBefore
	}
	s, ok := ch.step()
	if !ok || !ch.live() || !ch.resting {
		return
	}
	due, armed := ch.timerFrom, true
	switch {
	case s.Delay != nil && s.Delay.FromEntry:
		due = ch.enteredAt + s.Delay.For.Milliseconds()
	case s.Delay != nil:
		due += s.Delay.For.Milliseconds()
	case s.Send != nil:
		return // a held send stays held
	case s.Until != nil:
		due = a.nextLocal(ch, s.Until, ch.timerFrom) // not lastJumpAt: the jump is over
	case s.Wait != nil:
		due += s.Wait.Timeout.Milliseconds()
		armed = s.Wait.Timeout != 0
	case s.Call != nil && s.Call.Wait && ch.armed:
		due += s.Call.timeout()
	default:
		return
	}
	if armed == ch.armed && (!armed || due == ch.due) {
		return
	}
	ch.dueBefore, ch.armedBefore = ch.due, ch.armed
	ch.replanDue, ch.replannedAt, ch.replanSlot = due, a.position, a.slotOf(ch.customer)
	ch.due, ch.armed, ch.notBefore = max(due, ch.replanSlot), armed, 0
}

// postponePinned moves the timer of a chain that is pinned to a version which itself has not
// reached the customer yet: it then waits for the slot of the version that pins.
func (ch *chain) postponePinned(a *Auditor) {
	reached := ch.customer.reachedAt >= ch.replannedAt || ch.replanSlot <= a.now
	if ch.replannedAt == 0 || reached || !ch.live() || !ch.resting || ch.due != max(ch.replanDue, ch.replanSlot) {
		return
	}
	ch.replannedAt, ch.replanSlot = a.position, a.slotOf(ch.customer)
	ch.due = max(ch.replanDue, ch.replanSlot)
}

// nextSlot returns the customer's next slot, if there is something to do at it: a chain to end, or
// queued entries to offer or drop. What is done then is for all campaigns, whichever the slot is
// for.
func (c *customer) nextSlot() (due int64, ok bool) {
	todo := slices.ContainsFunc(c.chains, func(ch *chain) bool { return ch.live() && ch.exiting })
	for i := range c.states {
		status := c.a.campaigns[i].Status
		todo = todo || len(c.states[i].queued) > 0 && (status == "" || status == Archived)
	}
	for i := range c.states {
		if t := c.states[i].slot; todo && t != 0 && (!ok || t < due) {
			due, ok = t, true
		}
	}
	return due, ok
}

// migrateAndScan is what a frame does before its timers: customers whose slots have come are
// migrated, and the bulk scan goes on.
func (a *Auditor) migrateAndScan() {
	for {
		until := a.now
		if a.lastVersionAt != 0 && a.migratedUntil < a.lastVersionAt+migrationTime {
			until = min(until, a.migratedUntil+slotStep)
		}
		a.migratedUntil = until
		a.scanSlice()
		a.migrateUntil(until)
		if until == a.now {
			return
		}
	}
}

// migrateUntil migrates the customers whose slots are at or before an instant, in the order of the
// slots. A slot counts as something that reaches the customer even if there is nothing to do.
func (a *Auditor) migrateUntil(until int64) {
	for _, c := range a.customers {
		for i := range c.states {
			if t := c.states[i].slot; t != 0 && t <= until {
				c.reachedAt = a.position
			}
		}
	}
	for {
		var next *customer
		first := until + 1
		for _, c := range a.customers {
			if at, ok := c.nextSlot(); ok && at < first {
				next, first = c, at
			}
		}
		if next == nil {
			break
		}
		a.migrate(next)
	}
	for _, c := range a.customers { // also of customers with nothing to do
		for i := range c.states {
			if c.states[i].slot <= until {
				c.states[i].slot = 0
			}
		}
	}
}

// migrate brings one customer in line with all that is in force.
func (a *Auditor) migrate(c *customer) {
	for i := range c.states {
		if c.states[i].slot <= a.now {
			c.states[i].slot = 0
		}
	}
	a.applyScans(c)
	a.endExiting(c)
	a.enterQueued(c)
	c.forgetChains()
}

// endExiting ends the customer's chains that a new version does not take along. It is called at the
// customer's slot and whenever something reaches the customer before.
func (a *Auditor) endExiting(c *customer) {
	c.reachedAt = a.position
	for _, ch := range c.chains {
		ch.endIfExiting(a)
	}
}

// endIfExiting ends the chain if a new version does not take it along, and reports whether it did.
func (ch *chain) endIfExiting(a *Auditor) bool {
	if !ch.live() || !ch.exiting {
		return false
	}
	what := NoteExit
	if ch.def.Status == Archived {
		what = NoteArchived
	}
	a.note(what)
	ch.end(a, Exited)
	return true
}

// reachWithoutFiring handles timers that come and do not fire: those that a pause holds, and those
// that a new version has moved to later while nothing has reached the customer since. They reach
// the customer all the same, so exiting chains end and bulk scans apply.
func (a *Auditor) reachWithoutFiring() {
	comes := func(due int64) bool { return due > a.barrier() && due <= a.now }
	for _, c := range a.customers {
		if slices.ContainsFunc(c.chains, func(ch *chain) bool {
			held := ch.frozen && ch.armed && c.reachedAt < ch.frozenAt && comes(max(ch.due, ch.notBefore))
			off := ch.frozen && c.reachedAt >= ch.frozenAt // its timer was off before the version came
			moved := ch.resting && ch.armedBefore && !off && c.reachedAt < ch.replannedAt && comes(ch.dueBefore)
			return ch.live() && (held || moved)
		}) {
			a.endExiting(c)
			a.applyScans(c)
		}
	}
}
