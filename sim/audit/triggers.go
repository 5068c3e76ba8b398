package audit

import "slices"

// matchTrigger reports whether the record fires the trigger of a campaign. first says that it is
// the customer's first record.
func (a *Auditor) matchTrigger(c *customer, i int, e *Event, first bool) (candidate, bool) {
	t, s := a.campaigns[i].Trigger, &c.states[i]
	if !a.campaigns[i].observes() {
		return candidate{}, false
	}
	hit := Match{Event: t.Event, Where: t.Where}.holds(e, e, c)
	trigger := e
	switch t.Kind {
	case KindEvent:
	case KindWebhook:
		hit = e.Name == "$webhook/"+a.campaigns[i].Name
	case KindCount:
		// Not for customers of whose history a part was not counted, unless existing ones are to enter.
		known := a.campaigns[i].Existing || c.firstPosition > a.countsFrom(t.Event, t.Where)
		hit = hit && known && len(c.countedEvents(t.Event, t.Where)) == t.Reaches
	case KindStreak:
		hit = e.Type == TypeTrack && a.completesStreak(c, i, e)
	case KindSegment, KindThreshold:
		hit = (first || t.mayChangeBy(e)) && a.observe(c, i)
	case KindChange:
		trigger = a.matchChange(c, i, e)
		hit = trigger != nil
	case KindInactivity:
		later := func(o *Event) bool { return o.Time > e.Time }
		switch {
		case hit && !slices.ContainsFunc(c.countedEvents(t.Event, t.Where), later):
			a.armInactivity(s, i, e)
		case first && t.FromProfile && !hit:
			a.armInactivity(s, i, e)
		}
		hit = false
	default:
		hit = false
	}
	if !hit || !a.checkAge(i, e) {
		return candidate{}, false
	}
	return candidate{campaign: i, trigger: trigger, planned: a.now, depth: c.depth}, true
}

// armInactivity arms the inactivity timer for the silence after e. An instant already past is armed
// only where the event itself could still start something.
func (a *Auditor) armInactivity(s *campaignState, i int, e *Event) {
	s.latest = e
	s.due = e.Time + a.campaigns[i].Trigger.For.Milliseconds()
	s.armed = s.due > a.now || (!e.Historical && !a.tooOld(i, e))
}

// inactivityCandidate returns the entry by the campaign's inactivity timer.
func (a *Auditor) inactivityCandidate(c *customer, i int) candidate {
	s := &c.states[i]
	return candidate{
		campaign: i, trigger: s.latest, planned: s.due, silenceEnd: s.due, late: a.now-s.due > lateAfter,
	}
}

// tooOld reports whether the event is older than the campaign's max_event_age.
func (a *Auditor) tooOld(i int, e *Event) bool {
	return a.now-e.Time > a.maxAge(i)
}

// defaultMaxAge is max_event_age where a campaign does not give one, in ms.
const defaultMaxAge = 24 * 3_600_000

// maxAge returns the campaign's max_event_age in ms.
func (a *Auditor) maxAge(i int) int64 {
	if limit := a.campaigns[i].MaxEventAge.Milliseconds(); limit != 0 {
		return limit
	}
	return defaultMaxAge
}

// checkAge refuses events that start nothing because they are historical or too old, and reports
// whether the event may start something.
func (a *Auditor) checkAge(i int, e *Event) bool {
	switch {
	case e.Historical:
		a.refuse(i, "historical")
	case a.tooOld(i, e):
		a.refuse(i, "max_event_age")
	default:
		return true
	}
	return false
}

// refuse counts a refused entry.
func (a *Auditor) refuse(i int, reason string) {
	name := a.campaigns[i].Name
	for k := range a.refused {
		if a.refused[k].Campaign == name && a.refused[k].Reason == reason {
			a.refused[k].Count++
			return
		}
	}
	a.refused = append(a.refused, Refusal{name, reason, 1})
}
