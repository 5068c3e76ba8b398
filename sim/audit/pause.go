package audit

import (
	"cmp"
	"slices"
)

// mostKept is how many events pauses keep of a customer.
const mostKept = 100

// kept is what would have started a chain while its campaign was paused.
type kept struct {
	trigger  *Event
	campaign int // while it is offered
	order    int
}

// still says whether the chains of the campaign stand still: a draft is as frozen as a
// pause.
func (c Campaign) still() bool { return c.Status == Draft || c.Status == Paused && c.Freeze }

func (ch *chain) still() bool { return ch.customer.a.campaigns[ch.campaign].still() }

// waitsForThaw says whether a chain that was moved on waits before its step. One that has
// come to its end ends.
func (ch *chain) waitsForThaw() bool { return ch.at != End && (ch.still() || ch.thaw != 0) }

// timer is when the chain is looked at next. Nothing fires while it stands still.
func (ch *chain) timer() (due int64, ok bool) {
	switch {
	case !ch.live() || ch.still() && !ch.leaving: // what ends a chain need not be its turn
		return 0, false
	case ch.leaving && ch.heldBack: // what the pause held goes on at the turn
		return 0, false
	case ch.thaw != 0:
		return ch.thaw, true
	}
	return max(ch.due, ch.wake), ch.timed
}

// resume has the chains of a campaign that stands still no longer go on at the customer's
// turn, and offers then what was kept.
func (a *Auditor) resume(c *customer, at int) {
	next := a.campaigns[at]
	for _, ch := range c.chains {
		switch {
		case ch.campaign != at || !ch.live() || next.Status == Archived:
		case next.still():
			if !ch.iced && (!ch.felt || ch.thawed <= c.reached) { // else one pause after the other
				ch.icedAt, ch.icedTurn = a.place, a.turn(c)
			}
			ch.iced = true
		case !ch.iced:
			ch.thawsLater(a)
		case !ch.resting || ch.stuck: // it was moved on meanwhile
			ch.iced, ch.thaw, ch.thawed, ch.felt = false, a.turn(c), a.place, true
		default:
			a.note(NoteThawed)
			ch.iced, ch.thawed = false, a.place
			ch.wake = 0
			// Else it goes on as if there had been no pause.
			if ch.felt = c.reached >= ch.icedAt || ch.icedTurn <= a.now; ch.felt {
				ch.wake = a.turn(c)
			}
		}
	}
}

// thawsLater: where nothing reached the customer since the version that ended the pause,
// the turn is that of the one that comes now.
func (ch *chain) thawsLater(a *Auditor) {
	if !ch.felt || ch.thawed <= ch.customer.reached {
		return
	}
	if ch.thaw != 0 {
		ch.thaw = a.turn(ch.customer)
	}
	if ch.wake != 0 {
		ch.wake = a.turn(ch.customer)
	}
}

// thaws has a chain go on that was moved while it stood still.
func (ch *chain) thaws(a *Auditor) {
	ch.thaw = 0
	a.note(NoteThawedMoved)
	if _, ok := ch.step(); !ok { // it never runs under the version that took the step away
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
	if ch.holds() {
		ch.again()
		return
	}
	ch.run(a)
}

// keep keeps what would have started a chain.
func (a *Auditor) keep(c *customer, t *candidate) {
	s := &c.per[t.campaign]
	n := 0
	for i := range c.per {
		n += len(c.per[i].kept)
	}
	if n == mostKept || t.bare {
		a.refuse(t.campaign, Paused)
		return
	}
	a.note(NoteKept)
	a.keptSoFar++
	s.kept = append(s.kept, kept{trigger: t.trigger, order: a.keptSoFar})
}

// offered has what was kept start chains, in the order in which it came, each as a record
// of its own.
func (a *Auditor) offered(c *customer) {
	var all []kept
	for i := range c.per {
		switch s := &c.per[i]; a.campaigns[i].Status {
		case Archived:
			s.kept = nil
		case "":
			for _, k := range s.kept {
				k.campaign = i
				all = append(all, k)
			}
			s.kept = nil
		}
	}
	slices.SortFunc(all, func(x, y kept) int { return cmp.Compare(x.order, y.order) })
	for _, k := range all {
		// The end of a time without an event is what would have started a chain.
		happened, silence := k.trigger.Time, int64(0)
		if t := a.campaigns[k.campaign].Trigger; t.Kind == KindInactivity && t.Event == k.trigger.Name {
			happened += t.For.Milliseconds()
			silence = happened
		}
		if a.now-happened > a.maxAge(k.campaign) {
			a.note(NoteKeptOld)
			a.refuse(k.campaign, "max_event_age")
			continue
		}
		a.note(NoteOffered)
		a.admit(c, []candidate{{campaign: k.campaign, trigger: k.trigger, planned: a.now, silence: silence}})
		a.settle(c)
	}
	a.derive(c)
}

// turn is when the customer's turn comes, if there is something to be done then. A turn
// brings them in line with all that is in force, whichever campaign it is for.
func (c *customer) turn() (due int64, ok bool) {
	todo := slices.ContainsFunc(c.chains, func(ch *chain) bool { return ch.live() && ch.leaving })
	for i := range c.per {
		status := c.a.campaigns[i].Status
		todo = todo || len(c.per[i].kept) > 0 && (status == "" || status == Archived)
	}
	for i := range c.per {
		if t := c.per[i].turn; todo && t != 0 && (!ok || t < due) {
			due, ok = t, true
		}
	}
	return due, ok
}

// A frame takes a step for each second of the minute after a new version in which customers
// have their turns; each step goes on with the bulk scan.
const (
	turnsFor  = 60_000
	turnsStep = 1000
)

// steps are those of a frame before its timers.
func (a *Auditor) steps() {
	for {
		until := a.now
		if a.succeeded != 0 && a.turned < a.succeeded+turnsFor {
			until = min(until, a.turned+turnsStep)
		}
		a.turned = until
		a.slice()
		a.turns(until)
		if until == a.now {
			return
		}
	}
}

// turns are those of the customers whose turn has come, before all timers. It reaches them
// also where there is nothing to do.
func (a *Auditor) turns(until int64) {
	for _, c := range a.customers {
		for i := range c.per {
			if t := c.per[i].turn; t != 0 && t <= until {
				c.reached = a.place
			}
		}
	}
	for {
		var next *customer
		first := until + 1
		for _, c := range a.customers {
			if at, ok := c.turn(); ok && at < first {
				next, first = c, at
			}
		}
		if next == nil {
			break
		}
		a.follow(next)
	}
	for _, c := range a.customers { // those without anything to do are over too
		for i := range c.per {
			if c.per[i].turn <= until {
				c.per[i].turn = 0
			}
		}
	}
}

// follow is the customer's turn.
func (a *Auditor) follow(c *customer) {
	for i := range c.per {
		if c.per[i].turn <= a.now {
			c.per[i].turn = 0
		}
	}
	a.visit(c)
	a.dismiss(c)
	a.offered(c)
	c.forget()
}

// latePin: where nothing reached the customer since the version that a pin keeps, its
// timer waits for the turn of the one that pins.
func (ch *chain) latePin(a *Auditor) {
	reached := ch.customer.reached >= ch.replanned || ch.replanTurn <= a.now
	if ch.replanned == 0 || reached || !ch.live() || !ch.resting || ch.due != max(ch.raw, ch.replanTurn) {
		return
	}
	ch.replanned, ch.replanTurn = a.place, a.turn(ch.customer)
	ch.due = max(ch.raw, ch.replanTurn)
}

// stir: a timer that comes while a pause holds it reaches the customer, although it does
// not fire. So does one that a new version has planned for later, until something brings the
// customer in line with that version.
func (a *Auditor) stir() {
	comes := func(due int64) bool { return due > a.held() && due <= a.now }
	for _, c := range a.customers {
		if slices.ContainsFunc(c.chains, func(ch *chain) bool {
			held := ch.iced && ch.timed && c.reached < ch.icedAt && comes(max(ch.due, ch.wake))
			moved := ch.resting && ch.timedBefore && c.reached < ch.replanned && comes(ch.dueBefore)
			return ch.live() && (held || moved)
		}) {
			a.dismiss(c)
			a.visit(c)
		}
	}
}
