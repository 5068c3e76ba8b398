package audit

import (
	"cmp"
	"slices"
)

// activation is a campaign that begins to observe customers, or to enter existing ones.
type activation struct {
	campaign string
	trigger  Trigger
	silent   bool // it begins to observe: what already holds starts nothing
	include  bool // customers for whom the trigger already holds enter
}

// noteActivation adds what the new version of a campaign begins. Where its trigger is another one,
// what the trigger knew of the customers is reset.
func (a *Auditor) noteActivation(all []activation, at int, found bool, old, next Campaign) []activation {
	same := old.observes() && next.observes() && sameTrigger(old.Trigger, next.Trigger)
	if found && !same {
		for _, c := range a.customers {
			a.resetTrigger(&c.states[at])
		}
	}
	include := next.Existing && (!old.observes() || !old.Existing)
	if !next.observes() || same && !include {
		return all
	}
	return append(all, activation{campaign: next.Name, trigger: next.Trigger, silent: !same, include: include})
}

// resetTrigger resets what a streak, segment or threshold knows of a customer.
func (a *Auditor) resetTrigger(s *campaignState) {
	s.usedEvents, s.inside, s.hasValue = nil, false, false
}

// activate observes the existing customers silently, at once: what already holds starts nothing. A
// bulk scan then reaches each customer. It enters those whom `existing: include` asks for, and it
// is only from then on that their planned dates, inactivity timers and windows count. One scan does
// so for all that one control record began.
func (a *Auditor) activate(all []activation, scan *bulkScan, needed bool) {
	var entering []activation
	for _, b := range all {
		needed = needed || b.silent && b.trigger.changesWithTime()
		levels := b.trigger.Kind == KindSegment || b.trigger.Kind == KindThreshold
		if levels && b.silent {
			for _, c := range a.customers {
				i := a.indexOf(b.campaign)
				a.observeSilently(c, i)
				if b.trigger.changesWithTime() {
					c.states[i].observedBy = scan
				}
				a.note(NoteObserved)
			}
		}
		if b.include && (levels || b.trigger.Kind == KindInactivity) {
			entering = append(entering, b)
		}
	}
	if len(a.customers) > 0 && (needed || len(entering) > 0) {
		slices.SortFunc(entering, func(x, y activation) int { return cmp.Compare(x.campaign, y.campaign) })
		scan.activations, scan.remaining = entering, slices.Clone(a.customers)
		a.bulkScans = append(a.bulkScans, scan)
	}
}

// observeSilently has a segment or threshold observe the customer and fire nothing. It reports
// whether the customer is where the trigger would have fired.
func (a *Auditor) observeSilently(c *customer, i int) bool {
	s, t := &c.states[i], a.campaigns[i].Trigger
	switch t.Kind {
	case KindSegment:
		s.inside = t.When.holds(scene{event: &Event{}, trigger: &Event{}, customer: c})
		s.observed, s.observedAt = true, a.now
		return s.inside && !t.Leave
	case KindThreshold:
		a.observe(c, i) // compared with an earlier observation, if there was one
		// Within the hysteresis the customer still counts as inside, but does not enter as an existing one.
		v, ok := c.thresholdValue(t)
		return ok && (t.Down && v <= t.At || !t.Down && v >= t.At)
	}
	return false
}

// enterExisting is what the scan of an activation does with one customer: those for whom the
// trigger already holds enter.
func (a *Auditor) enterExisting(c *customer, scan *bulkScan) {
	var all []candidate
	for _, b := range scan.activations {
		i := a.indexOf(b.campaign)
		s, def := &c.states[i], a.campaigns[i]
		e := &Event{Customer: c.id, ID: AnyID, Name: "$existing", Time: scan.due, Type: TypeTrack}
		inside := a.observeSilently(c, i)
		if def.Trigger.Kind == KindInactivity {
			e = a.latest(c, i)
			inside = e != nil && !s.armed && e.Time+def.Trigger.For.Milliseconds() <= a.now && !c.enteredSince(i, e)
		}
		if inside {
			a.note(NoteExistingEntered)
			entering := candidate{campaign: i, trigger: e, planned: scan.due, late: a.now-scan.due > lateAfter}
			if entering.noEvent = def.Trigger.Kind != KindInactivity; !entering.noEvent {
				entering.silenceEnd = scan.due // the entry was planned for when the campaign came
			}
			all = append(all, entering)
		}
	}
	if len(all) == 0 {
		c.forgetChains() // the scan reaches the customer even if nothing starts
		return
	}
	a.endExiting(c)
	a.admit(c, all)
	a.runToQuiescence(c)
	a.applyEmitted(c)
	c.forgetChains()
}

// latest returns the customer's latest event that an inactivity trigger looks at; only its name and
// times where it is not among the recent events.
func (a *Auditor) latest(c *customer, i int) *Event {
	t := a.campaigns[i].Trigger
	var latest *Event
	for _, e := range c.countedEvents(t.Event, t.Where) {
		if latest == nil || e.Time >= latest.Time {
			latest = e
		}
	}
	if latest == nil {
		return nil
	}
	seen := &Event{Name: latest.Name, Time: latest.Time, Type: latest.Type}
	for _, e := range c.recentEvents() {
		if e.Time == latest.Time && (Match{Event: t.Event, Where: t.Where}).holds(e, e, c) {
			seen = e
		}
	}
	return seen
}

// enteredSince reports whether the customer entered at or after the end of the silence that
// followed the event.
func (c *customer) enteredSince(i int, e *Event) bool {
	over := e.Time + c.a.campaigns[i].Trigger.For.Milliseconds()
	return slices.ContainsFunc(c.chains, func(ch *chain) bool { return ch.campaign == i && ch.enteredAt >= over })
}
