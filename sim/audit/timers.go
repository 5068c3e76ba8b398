package audit

import (
	"cmp"
	"math"
	"slices"
)

// timer is one armed timer of a customer. It is that of a pending delivery, of a chain, or of a
// campaign's trigger: one of the flags then says which, and none of them means an inactivity
// instant. expiry is the timer of the customer as a whole.
type timer struct {
	due      int64
	customer *customer
	campaign int // -1: of a delivery, before all campaigns
	entry    int
	chain    *chain
	pending  *pending

	date       bool // a date comes
	window     bool // a value may change by time alone
	groupEntry bool // one of windowEntries is to enter
	expiry     bool // the customer expires
}

// compare orders timers by due, customer, campaign and entry number.
func (t timer) compare(o timer) int {
	return cmp.Or(cmp.Compare(t.due, o.due), cmp.Compare(t.customer.id, o.customer.id),
		cmp.Compare(t.campaign, o.campaign), cmp.Compare(t.entry, o.entry))
}

// timers calls f with every armed timer. A trigger's timer has the entry number that its chain
// would get, so it comes after the chains of its campaign that are there.
func (c *customer) timers(f func(timer)) {
	if t, ok := c.expiryTimer(); ok {
		f(t)
	}
	if c.expired {
		return
	}
	for _, ch := range c.chains {
		if due, ok := ch.timer(); ok {
			f(timer{due: due, customer: c, campaign: ch.campaign, entry: ch.entry, chain: ch})
		}
	}
	for i, p := range c.pending {
		f(timer{due: p.due(), customer: c, campaign: -1, entry: i, pending: p})
	}
	for i, s := range c.states {
		if s.armed && !s.armedBy.isAhead(c) {
			f(timer{due: s.due, customer: c, campaign: i, entry: s.entries + 1})
		}
		if due, ok := c.a.nextWindowChange(c, i); ok && !s.observedBy.isAhead(c) {
			f(timer{due: due, customer: c, campaign: i, entry: s.entries + 1, window: true})
		}
		for _, w := range s.windowEntries {
			f(timer{due: w.planned, customer: c, campaign: i, entry: s.entries + 1, groupEntry: true})
		}
		if p, ok := s.dates.first(c); ok {
			f(timer{due: p.due, customer: c, campaign: i, entry: s.entries + 1, date: true})
		}
	}
}

// first returns the customer's first armed timer.
func (c *customer) first() (first timer, ok bool) {
	keep := func(t timer) {
		if !ok || t.compare(first) < 0 {
			first, ok = t, true
		}
	}
	c.timers(keep)
	return first, ok
}

// first returns the armed timer that comes before all others and is due after an instant.
func (a *Auditor) first(held int64) (first timer, ok bool) {
	for _, c := range a.customers {
		t, has := c.first()
		if has && t.due > held && (!ok || t.compare(first) < 0) {
			first, ok = t, true
		}
	}
	return first, ok
}

// Next returns the instant at which something happens by time alone: of the first armed timer,
// migration slot or schedule, or now while a bulk scan is under way.
func (a *Auditor) Next() (due int64, ok bool) {
	t, ok := a.first(math.MinInt64)
	due = t.due
	for _, c := range a.customers {
		if at, has := c.nextSlot(); has && (!ok || at < due) {
			due, ok = at, true
		}
	}
	for _, s := range a.schedules {
		if s.next != 0 && (!ok || s.next < due) {
			due, ok = s.next, true
		}
	}
	if a.BulkScans() {
		return a.now, true
	}
	return due, ok
}

// fireTimers fires what is due, one timer at a time in the order of timer.compare, and those that
// this arms and that are due already. A customer with a timer behind the catch-up barrier waits as
// a whole, so that their steps keep their order. What happens to one customer changes no other's
// timers.
func (a *Auditor) fireTimers() {
	var due []timer // the first of each customer
	add := func(c *customer) {
		if t, ok := c.first(); ok && t.due > a.barrier() && t.due <= a.now {
			due = append(due, t)
		}
	}
	for _, c := range a.customers {
		add(c)
	}
	for len(due) > 0 {
		at := 0
		for i := range due {
			if due[i].compare(due[at]) < 0 {
				at = i
			}
		}
		c := due[at].customer
		due = slices.Delete(due, at, at+1)
		a.endExiting(c)
		a.applyScans(c)
		a.fireDue(c)
		a.applyEmitted(c)
		c.forgetChains()
		add(c)
	}
}

// fireDue fires the customer's timers that are due.
func (a *Auditor) fireDue(c *customer) {
	if a.barrierUntil != 0 {
		if t, ok := c.first(); ok && t.due <= a.barrierMark {
			return // the customer waits as a whole
		}
	}
	for {
		t, ok := c.nextDueTimer(a)
		if ok {
			a.fire(t)
			continue
		}
		a.runReady(c)
		a.decideSends(c)
		if _, ok = c.nextDueTimer(a); ok {
			continue
		}
		a.runToQuiescence(c) // changes of the profile by steps fire triggers when all chains rest
		if _, ok = c.nextDueTimer(a); !ok {
			return
		}
	}
}

// nextDueTimer returns the timer to fire next. The timer of a campaign's trigger waits while a
// chain of the campaign has a pending send; the entry into a group waits until the other timers
// have fired; the customer expires last of one instant.
func (c *customer) nextDueTimer(a *Auditor) (next timer, ok bool) {
	var grouped timer
	has := false
	c.timers(func(t timer) {
		ofTrigger := t.chain == nil && t.pending == nil && !t.expiry
		switch {
		case t.expiry: // below
		case t.due > a.now || ofTrigger && c.hasPendingSend(t.campaign):
		case t.groupEntry || ofTrigger && c.states[t.campaign].groupPending:
			if !has || t.compare(grouped) < 0 {
				grouped, has = t, true
			}
		case !ok || t.compare(next) < 0:
			next, ok = t, true
		}
	})
	if !ok {
		next, ok = grouped, has
	}
	if t, leaves := c.expiryTimer(); leaves && t.due <= a.now && (!ok || t.due < next.due) {
		return t, true
	}
	return next, ok
}

// fire has a timer do what it is for. An inactivity timer starts a chain.
func (a *Auditor) fire(t timer) {
	switch {
	case t.pending != nil:
		t.pending.fire(a)
		return
	case t.chain != nil:
		t.chain.fireTimer(a)
		return
	case t.expiry:
		a.expireCustomer(t.customer)
		return
	case t.groupEntry:
		a.enterAfterWindow(t.customer, t.campaign)
		return
	case t.window:
		a.observeWindow(t.customer, t.campaign, t.due)
		return
	case a.checkBeforeGroup(t):
		return
	case t.date:
		a.fireDate(t.customer, t.campaign)
		return
	}
	s := &t.customer.states[t.campaign]
	s.armed = false
	if a.campaigns[t.campaign].Trigger.Kind == KindInactivity { // a later version may have another trigger
		a.admit(t.customer, a.withRivals(t.customer, a.inactivityCandidate(t.customer, t.campaign)))
		a.runReady(t.customer)
	}
}
