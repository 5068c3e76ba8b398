package audit

import (
	"cmp"
	"slices"
)

// completesStreak reports whether the event completes a streak: Length matching events in the order
// of event time, none more than MaxGap after the one before, with no breaking event between. Events
// before the end of the last streak do not count.
func (a *Auditor) completesStreak(c *customer, i int, e *Event) bool {
	t, s := a.campaigns[i].Trigger, &c.states[i]
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
	of := counter{event: t.Event, where: t.Where.text(), part: a.campaigns[i].streakPart()}
	since := a.counterStart(a.counters, of)
	s.usedEvents = slices.DeleteFunc(s.usedEvents, func(o *Event) bool { return o.position <= since })
	for _, o := range c.events {
		if o.position > since && !slices.Contains(s.usedEvents, o) && (breaks(o) || o.streaks[a.campaigns[i].Name]) {
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
		case len(s.usedEvents) > 0 && o.Time < s.usedEvents[len(s.usedEvents)-1].Time:
			continue
		case len(run) > 0 && o.Time-run[len(run)-1].Time > t.MaxGap.Milliseconds():
			run = nil
		}
		if run = append(run, o); len(run) == t.Length {
			s.usedEvents = append(s.usedEvents, run...)
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
