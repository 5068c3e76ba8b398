package audit

import (
	"reflect"
	"slices"
)

// looks says whether a campaign looks at what its customers do: a draft and an archived one
// do not, a paused one does.
func (c Campaign) looks() bool { return c.Status != Draft && c.Status != Archived }

// begun is a campaign that begins to look, or to ask for those who are there.
type begun struct {
	campaign string
	trigger  Trigger
	silent   bool // it begins to look: what is so already is no news
	include  bool // those for whom it is so already are asked in
}

// begins notes what a new version begins, and forgets what it looks at no more.
func (a *Auditor) begins(all []begun, at int, found bool, old, next Campaign) []begun {
	same := old.looks() && next.looks() && reflect.DeepEqual(old.Trigger, next.Trigger)
	if found && !reflect.DeepEqual(old.Trigger, next.Trigger) {
		for _, c := range a.customers {
			a.unlook(&c.per[at])
		}
	}
	include := next.Existing && (!old.looks() || !old.Existing)
	if !next.looks() || same && !include {
		return all
	}
	return append(all, begun{campaign: next.Name, trigger: next.Trigger, silent: !same, include: include})
}

// unlook forgets what a trigger remembers of a customer. On which side of a threshold they
// were is remembered: from there the value moves on.
func (a *Auditor) unlook(s *standing) { s.spent = nil }

// activate has the customers who are there looked at.
func (a *Auditor) activate(all []begun) {
	for i := range all {
		b := &all[i]
		levels := b.trigger.Kind == KindSegment || b.trigger.Kind == KindThreshold
		if levels || b.include && b.trigger.Kind == KindInactivity {
			a.tours = append(a.tours, &tour{begun: b, due: a.now, left: slices.Clone(a.customers)})
		}
	}
}

// observe looks at a customer who was there when a campaign began to look.
func (a *Auditor) observe(c *customer, t *tour) {
	b := t.begun
	i := slices.IndexFunc(a.campaigns, func(d *Campaign) bool { return d.Name == b.campaign })
	s, def := &c.per[i], a.campaigns[i]
	e := &Event{Customer: c.id, ID: AnyID, Name: "$existing", Time: t.due, Type: TypeTrack}
	inside := false
	switch def.Trigger.Kind {
	case KindSegment:
		inside = def.Trigger.When.holds(scene{event: &Event{}, trigger: &Event{}, customer: c})
		s.inside = inside
	case KindThreshold:
		a.crossed(c, i) // from where it was, if it was looked at before
		inside = s.valued && s.inside != def.Trigger.Down
	case KindInactivity:
		e = a.latest(c, i)
		inside = e != nil && !s.armed && e.Time+def.Trigger.For.Milliseconds() <= a.now && !c.enteredSince(i, e)
	}
	if b.silent {
		a.note(NoteObserved)
	}
	if !inside || !b.include {
		return
	}
	a.note(NoteIncluded)
	a.admit(c, []candidate{{
		campaign: i, trigger: e, planned: t.due, late: a.now-t.due > lateAfter,
		bare: def.Trigger.Kind != KindInactivity,
	}})
	a.settle(c)
	a.derive(c)
	c.forget()
}

// latest is the customer's latest event that an inactivity trigger looks at, as far as it
// is remembered.
func (a *Auditor) latest(c *customer, i int) *Event {
	t := a.campaigns[i].Trigger
	var latest *Event
	for _, e := range c.counted(t.Event, t.Where) {
		if latest == nil || e.Time >= latest.Time {
			latest = e
		}
	}
	if latest == nil {
		return nil
	}
	seen := &Event{Name: latest.Name, Time: latest.Time, Type: latest.Type}
	for _, e := range c.memory() {
		if e.Time == latest.Time && (Match{Event: t.Event, Where: t.Where}).holds(e, e, c) {
			seen = e
		}
	}
	return seen
}

// enteredSince says whether the customer entered for the silence after an event already, or
// later.
func (c *customer) enteredSince(i int, e *Event) bool {
	over := e.Time + c.a.campaigns[i].Trigger.For.Milliseconds()
	return slices.ContainsFunc(c.chains, func(ch *chain) bool { return ch.campaign == i && ch.enteredAt >= over })
}
