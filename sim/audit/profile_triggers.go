package audit

import (
	"reflect"
	"slices"
)

// observe has a segment or threshold look at the customer as they are now. It keeps the answer and
// reports whether the trigger fires.
func (a *Auditor) observe(c *customer, i int) bool {
	t, s := a.campaigns[i].Trigger, &c.states[i]
	switch t.Kind {
	case KindSegment:
		before := s.inside
		s.inside = t.When.holds(scene{event: &Event{}, trigger: &Event{}, customer: c})
		s.observed, s.observedAt = true, a.instant()
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
		v, ok := c.thresholdValue(t)
		if !ok {
			return false
		}
		before, first := s.inside, !s.hasValue
		s.hasValue = true
		s.observed, s.observedAt = true, a.instant()
		switch {
		case t.Down && first: // hysteresis counts after a crossing only
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

// mayChangeBy reports whether the record can have changed the value of a segment or threshold.
// Other records do not make the trigger observe, even if a window has slid meanwhile and its timer
// waits behind the catch-up barrier.
func (t Trigger) mayChangeBy(e *Event) bool {
	if t.Kind == KindThreshold && t.Value == nil {
		return e.Type == TypeIdentify
	}
	return slices.ContainsFunc(t.comparisons(), func(q Comparison) bool {
		switch {
		case q.Count != "" || q.Last != "":
			return e.Type != TypeIdentify && (e.Name == q.Count || e.Name == q.Last)
		case q.Zone && e.Context["timezone"] != nil:
			return true
		}
		return e.Type == TypeIdentify
	})
}

// thresholdValue returns the value that a threshold looks at.
func (c *customer) thresholdValue(t Trigger) (v float64, ok bool) {
	if t.Value != nil {
		return c.countOrSum(*t.Value), true
	}
	return amount(c.traits[t.Path])
}

// matchChange returns the event that a change trigger starts a chain with, which has the old and
// the new value; nil if the trigger does not match what changed.
func (a *Auditor) matchChange(c *customer, i int, e *Event) *Event {
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

// fireProfileTriggers asks the triggers that look at the profile, if a step has changed it. It
// reports whether it did.
func (a *Auditor) fireProfileTriggers(c *customer) bool {
	if !c.stepsChanged {
		return false
	}
	c.stepsChanged = false
	e := c.current
	if e == nil {
		e = &Event{Customer: c.id, ID: AnyID, Time: a.now, Type: TypeIdentify}
	}
	var all []candidate
	for i := range a.campaigns {
		var trigger *Event
		if !a.campaigns[i].observes() {
			continue
		}
		switch a.campaigns[i].Trigger.Kind {
		case KindSegment, KindThreshold:
			if a.observe(c, i) {
				trigger = e
			}
			if trigger != nil && c.current == nil { // a timer ran the step: the chain begins when that was due
				trigger = &Event{Customer: c.id, ID: AnyID, Time: min(c.changeDue, a.now), Type: TypeIdentify}
			}
		case KindChange:
			trigger = a.matchChange(c, i, e)
		}
		if trigger != nil && a.checkAge(i, e) {
			a.note(NoteSetFires)
			all = append(all, candidate{
				campaign: i, trigger: trigger, planned: c.changeDue, late: c.changeLate, depth: c.depth,
				noEvent: c.current == nil,
			})
		}
	}
	c.changes = nil
	a.admit(c, all)
	return true
}

// isStateful reports whether the trigger has a state that is dropped when it stops observing: a
// streak, a threshold, or a segment that changes with time.
func (c Campaign) isStateful() bool {
	return c.observes() && (c.Trigger.Kind == KindStreak || c.Trigger.Kind == KindThreshold ||
		c.Trigger.Kind == KindSegment && c.Trigger.changesWithTime())
}

// sameTrigger reports whether two triggers look at the same thing. A segment is the same whether
// its chains start on entering or on leaving.
func sameTrigger(a, b Trigger) bool {
	if a.Kind == KindSegment && b.Kind == KindSegment {
		return a.When.text() == b.When.text()
	}
	return reflect.DeepEqual(a, b)
}
