package audit

import (
	"cmp"
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
	same := old.looks() && next.looks() && alike(old.Trigger, next.Trigger)
	if found && !same {
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

// unlook forgets what a trigger remembers of a customer, also on which side of a threshold they
// were.
func (a *Auditor) unlook(s *standing) { s.spent, s.inside, s.valued = nil, false, false }

// activate has the customers who are there looked at: what is so already is no news, which
// is known at once. An existing customer who enters comes in their turn, with all that one control record
// began. The dates that are planned and the silences that are armed then take a turn too.
func (a *Auditor) activate(all []begun, plan *bulkScan, plans bool) {
	var asked []begun
	for _, b := range all {
		plans = plans || b.silent && b.trigger.windowed()
		levels := b.trigger.Kind == KindSegment || b.trigger.Kind == KindThreshold
		if levels && b.silent {
			for _, c := range a.customers {
				i := a.named(b.campaign)
				a.inside(c, i)
				if b.trigger.windowed() {
					c.per[i].seenBy = plan
				}
				a.note(NoteObserved)
			}
		}
		if b.include && (levels || b.trigger.Kind == KindInactivity) {
			asked = append(asked, b)
		}
	}
	if len(a.customers) > 0 && (plans || len(asked) > 0) {
		slices.SortFunc(asked, func(x, y begun) int { return cmp.Compare(x.campaign, y.campaign) })
		plan.begun, plan.left = asked, slices.Clone(a.customers)
		a.bulkScans = append(a.bulkScans, plan)
	}
}

func (a *Auditor) named(campaign string) int {
	return slices.IndexFunc(a.campaigns, func(d *Campaign) bool { return d.Name == campaign })
}

// inside looks at a customer, and says whether they are where the trigger would have
// brought them.
func (a *Auditor) inside(c *customer, i int) bool {
	s, t := &c.per[i], a.campaigns[i].Trigger
	switch t.Kind {
	case KindSegment:
		s.inside = t.When.holds(scene{event: &Event{}, trigger: &Event{}, customer: c})
		s.seen, s.looked = true, a.now
		return s.inside && !t.Leave
	case KindThreshold:
		a.crossed(c, i) // from where it was, if it was looked at before
		// Who went back from it, if not far enough to cross again, is not beyond it.
		v, ok := c.height(t)
		return ok && (t.Down && v <= t.At || !t.Down && v >= t.At)
	}
	return false
}

// include asks a customer in who was there when campaigns began to look.
func (a *Auditor) include(c *customer, t *bulkScan) {
	var all []candidate
	for _, b := range t.begun {
		i := a.named(b.campaign)
		s, def := &c.per[i], a.campaigns[i]
		e := &Event{Customer: c.id, ID: AnyID, Name: "$existing", Time: t.due, Type: TypeTrack}
		inside := a.inside(c, i)
		if def.Trigger.Kind == KindInactivity {
			e = a.latest(c, i)
			inside = e != nil && !s.armed && e.Time+def.Trigger.For.Milliseconds() <= a.now && !c.enteredSince(i, e)
		}
		if inside {
			a.note(NoteIncluded)
			by := candidate{campaign: i, trigger: e, planned: t.due, late: a.now-t.due > lateAfter}
			if by.bare = def.Trigger.Kind != KindInactivity; !by.bare {
				by.silence = t.due // it was planned for then
			}
			all = append(all, by)
		}
	}
	if len(all) == 0 {
		c.forget() // a visit that asks nobody in is one too
		return
	}
	a.dismiss(c)
	a.admit(c, all)
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
