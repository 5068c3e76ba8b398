package audit

import (
	"cmp"
	"slices"
)

// change is an attribute that has another value than before; nil is missing.
type change struct {
	path     string
	from, to any
}

// change sets a trait, or removes it.
func (c *customer) change(name string, value any) {
	old := c.traits[name]
	if value == nil {
		delete(c.traits, name)
	} else {
		c.traits[name] = value
	}
	at := slices.IndexFunc(c.changes, func(ch change) bool { return ch.path == name })
	if at < 0 {
		at = len(c.changes)
		c.changes = append(c.changes, change{path: name, from: old})
	}
	c.changes[at].to = value
	if same(c.changes[at].from, value) { // as it was before: what counts is the record as a whole
		c.changes = slices.Delete(c.changes, at, at+1)
	}
}

// same compares plain values; others are not asked about.
func same(a, b any) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return compare(a, "==", b)
}

// crossed asks a threshold or segment about the customer as they are now, remembers it,
// and says whether it fires. first is for a customer's first look.
func (a *Auditor) crossed(c *customer, i int) bool {
	t, s := a.campaigns[i].Trigger, &c.per[i]
	switch t.Kind {
	case KindSegment:
		before := s.inside
		s.inside = t.When.holds(scene{event: &Event{}, trigger: &Event{}, customer: c})
		s.seen, s.looked = true, a.instant()
		if s.inside && !before {
			a.note(NoteSegmentIn)
		}
		if !s.inside && before {
			a.note(NoteSegmentOut)
		}
		if t.Leave {
			return before && !s.inside
		}
		return s.inside && !before
	case KindThreshold:
		v, ok := c.height(t)
		if !ok {
			return false
		}
		before, first := s.inside, !s.valued // high
		s.valued = true
		s.seen, s.looked = true, a.instant()
		switch {
		case t.Down && first: // hysteresis is about the way back from a crossing
			s.inside = v > t.At
		case !t.Down && v >= t.At, t.Down && beyond(v, t.At, t.Hysteresis) > 0:
			s.inside = true
		case !t.Down && beyond(v, t.At, -t.Hysteresis) < 0, t.Down && v <= t.At:
			s.inside = false
		}
		if back := map[bool]float64{true: t.Hysteresis, false: -t.Hysteresis}[t.Down]; back != 0 &&
			beyond(v, t.At, back) == 0 {
			a.note(NoteDecimal)
		}
		if s.inside != before && s.inside != t.Down && (!t.Down || !first) {
			a.note(NoteThreshold)
			return true
		}
	}
	return false
}

// concernedBy says whether a record can have changed the value of a segment or threshold. The
// others do not look, also where what a window let go waits after a downtime.
func (t Trigger) concernedBy(e *Event) bool {
	if t.Kind == KindThreshold && t.Value == nil {
		return e.Type == TypeIdentify
	}
	return slices.ContainsFunc(t.timed(), func(q Comparison) bool {
		switch {
		case q.Count != "" || q.Last != "":
			return e.Type != TypeIdentify && (e.Name == q.Count || e.Name == q.Last)
		case q.Zone && e.Context["timezone"] != nil:
			return true
		}
		return e.Type == TypeIdentify
	})
}

// height is the value that a threshold looks at.
func (c *customer) height(t Trigger) (v float64, ok bool) {
	if t.Value != nil {
		return c.tally(*t.Value), true
	}
	return amount(c.traits[t.Path])
}

// changed is what a change trigger sees of the attributes that changed.
func (a *Auditor) changed(c *customer, i int, e *Event) *Event {
	t := a.campaigns[i].Trigger
	for _, ch := range c.changes {
		if ch.path != t.Path || t.From != nil && !same(ch.from, t.From) || t.To != nil && !same(ch.to, t.To) {
			continue
		}
		a.note(NoteChange)
		seen := *e
		seen.Properties = map[string]any{}
		if ch.from != nil {
			seen.Properties["from"] = ch.from
		}
		if ch.to != nil {
			seen.Properties["to"] = ch.to
		}
		return &seen
	}
	return nil
}

// levels asks the triggers that look at the profile, when a step has changed it.
func (a *Auditor) levels(c *customer) bool {
	if !c.dirty {
		return false
	}
	c.dirty = false
	e := c.hand
	if e == nil {
		e = &Event{Customer: c.id, ID: AnyID, Time: a.now, Type: TypeIdentify}
	}
	var all []candidate
	for i := range a.campaigns {
		var by *Event
		if !a.campaigns[i].looks() {
			continue
		}
		switch a.campaigns[i].Trigger.Kind {
		case KindSegment, KindThreshold:
			if a.crossed(c, i) {
				by = e
			}
			if by != nil && c.hand == nil { // there is no event: it begins when it was due
				by = &Event{Customer: c.id, ID: AnyID, Time: min(c.dirtyDue, a.now), Type: TypeIdentify}
			}
		case KindChange:
			by = a.changed(c, i, e)
		}
		if by != nil && a.fresh(i, e) {
			a.note(NoteSetFires)
			all = append(all, candidate{
				campaign: i, trigger: by, planned: c.dirtyDue, late: c.dirtyLate, depth: c.depth,
				bare: c.hand == nil,
			})
		}
	}
	c.changes = nil
	a.admit(c, all)
	return true
}

// streak says whether the event completes one: Length matching events in the order of
// event time, none more than MaxGap after the one before, and nothing that breaks
// between. What lies before the end of the last streak counts no more.
func (a *Auditor) streak(c *customer, i int, e *Event) bool {
	t, s := a.campaigns[i].Trigger, &c.per[i]
	m := Match{Event: t.Event, Where: t.Where}
	breaks := func(o *Event) bool { return t.BreakOn != "" && o.Name == t.BreakOn }
	if breaks(e) {
		a.note(NoteStreakBroken)
		return false
	}
	if !m.holds(e, e, c) {
		return false
	}
	var line []*Event
	since := a.sinceIn(a.asked, counter{event: t.Event, where: t.Where.text(), of: a.campaigns[i].ofStreak()})
	s.spent = slices.DeleteFunc(s.spent, func(o *Event) bool { return o.place <= since })
	for _, o := range c.events {
		if o.place > since && !slices.Contains(s.spent, o) && (breaks(o) || o.met[a.campaigns[i].Name]) {
			line = append(line, o)
		}
	}
	slices.SortStableFunc(line, func(x, y *Event) int { return cmp.Compare(x.Time, y.Time) })
	var run []*Event
	for _, o := range line {
		switch {
		case breaks(o):
			run = nil
			continue
		case len(s.spent) > 0 && o.Time < s.spent[len(s.spent)-1].Time:
			continue
		case len(run) > 0 && o.Time-run[len(run)-1].Time > t.MaxGap.Milliseconds():
			run = nil
		}
		if run = append(run, o); len(run) == t.Length {
			s.spent = append(s.spent, run...)
			a.note(NoteStreak)
			for k, o := range run[1:] {
				if o.Time-run[k].Time == t.MaxGap.Milliseconds() {
					a.note(NoteStreakGap)
				}
			}
			return true
		}
	}
	return false
}
