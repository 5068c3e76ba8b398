package audit

import "slices"

// comparisons returns those of a segment, or the value of a threshold.
func (t Trigger) comparisons() []Comparison {
	switch {
	case t.Kind == KindSegment:
		return t.When.All
	case t.Kind == KindThreshold && t.Value != nil:
		return []Comparison{*t.Value}
	}
	return nil
}

// changesWithTime reports whether the trigger's value can change by time alone.
func (t Trigger) changesWithTime() bool {
	return slices.ContainsFunc(t.comparisons(), func(q Comparison) bool { return q.Window != 0 || q.Past })
}

// instant returns the instant as of which values are computed.
func (a *Auditor) instant() int64 {
	if a.asOf != 0 {
		return a.asOf
	}
	return a.now
}

// nextWindowChange returns the next instant at which the value of a segment or threshold may change
// by time alone, after the last observation: an occurrence leaves a window, or "now" passes an
// instant that the trigger compares with it.
func (a *Auditor) nextWindowChange(c *customer, i int) (due int64, ok bool) {
	def, s := a.campaigns[i], &c.states[i]
	if !def.observes() || !s.observed {
		return 0, false
	}
	for _, q := range def.Trigger.comparisons() {
		if at, passes := q.passesAt(c); passes && at > s.observedAt && (!ok || at < due) {
			due, ok = at, true
		}
		if q.Window == 0 || q.Last != "" {
			continue
		}
		for _, e := range c.windowEvents(q) {
			if at := e.Time + q.Window.Milliseconds(); at > s.observedAt && (!ok || at < due) {
				due, ok = at, true
			}
		}
	}
	return due, ok
}

// observeWindow has the trigger observe the customer as of such an instant, however late the timer
// is.
func (a *Auditor) observeWindow(c *customer, i int, due int64) {
	a.asOf = due
	hit := a.observe(c, i)
	a.asOf = 0
	if !hit {
		return
	}
	a.note(NoteWindowSlid)
	if a.campaigns[i].Trigger.Kind == KindThreshold {
		a.note(NoteWindowSlidValue)
	}
	for _, q := range a.campaigns[i].Trigger.comparisons() {
		if at, passes := q.passesAt(c); passes && at == due {
			a.note(NoteInstantPassed)
		}
	}
	e := &Event{Customer: c.id, ID: AnyID, Time: due, Type: TypeIdentify}
	by := candidate{campaign: i, trigger: e, planned: due, late: a.now-due > lateAfter, noEvent: true}
	if a.passesAllButGroup(c, &by) {
		c.states[i].windowEntries = append(c.states[i].windowEntries, by)
		return
	}
	a.admit(c, []candidate{by})
	a.runReady(c)
}

// enterAfterWindow enters the chain of a group's campaign that observeWindow has put off until the
// customer's other timers have fired.
func (a *Auditor) enterAfterWindow(c *customer, i int) {
	s := &c.states[i]
	by := s.windowEntries[0]
	s.windowEntries = s.windowEntries[1:]
	a.admit(c, a.withRivals(c, by))
	a.runReady(c)
}
