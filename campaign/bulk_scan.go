package campaign

import (
	"fmt"
	"sort"
	"time"
)

// scheduleByCalendar says the schedule of a trigger that names a calendar. One that is
// not there has no days.
func (s *Set) scheduleByCalendar(t *ScheduleTrigger, of Schedule) Schedule {
	of.calendar = s.rules.calendars[t.Calendar]
	if of.calendar == nil {
		of.calendar = &Calendar{Name: t.Calendar}
	}
	of.minute = t.At
	of.Spec = fmt.Sprintf("calendar %s %s at %d %s", t.Calendar, of.calendar.spec(), t.At, of.loc)
	return of
}

// VisitKind says why all customers are visited.
type VisitKind uint8

// The kinds of visits. Their numbers are part of the stored format.
const (
	VisitBroadcast VisitKind = iota + 1
	VisitSchedule
	VisitActivation
	VisitForget VisitKind = 9 // counters are not kept any more
)

// Visit is what happens to every customer of a workspace: a broadcast, an occurrence of
// a schedule, or that campaigns became active.
type Visit struct {
	Kind      VisitKind `json:"Kind"`
	Due       int64     `json:"Due"`       // ms: when it should have been
	Event     *Event    `json:"Event"`     // of a broadcast
	Campaigns []string  `json:"Campaigns"` // of a schedule or an activation
	// Existing are those of an activation that ask for customers who are already there.
	Existing []string `json:"Existing"`
	// Counters (by id) and Windows (by event) are what is forgotten.
	Counters []string `json:"Counters,omitempty"`
	Windows  []string `json:"Windows,omitempty"`
	// Sums are forgotten of counters that are kept.
	Sums []DroppedSum `json:"Sums,omitempty"`
}

// Schedule is a schedule trigger in force.
type Schedule struct {
	Campaign string
	Spec     string // tells whether it is still the same rule
	cron     Cron
	calendar *Calendar // nil: cron holds
	minute   int       // of the calendar's days
	loc      *time.Location
}

// Next is the first occurrence after an instant, in ms; false when there is none.
func (s *Schedule) Next(after int64) (int64, bool) {
	if s.calendar != nil {
		return s.calendar.next(s.loc, s.minute, after)
	}
	return s.cron.Next(s.loc, after)
}

// DroppedSum is the sum of a property that nothing asks for any more, of a counter (by id)
// or of the windows of an event.
type DroppedSum struct {
	Counter  string `json:"Counter"`
	Window   string `json:"Window"`
	Property string `json:"Property"`
}

// Broadcasts says whether a campaign waits for a broadcast of an event name.
func (s *Set) Broadcasts(event string) bool { return len(s.broadcasts[event]) > 0 }

// Activation is the visit that follows when s takes the place of old; false when no
// campaign of those named needs one. A campaign asks for customers who are already
// there when it becomes active or says so for the first time.
func (s *Set) Activation(old *Set, names []string) (v Visit, needed bool) {
	v.Kind = VisitActivation
	sorted := append([]string(nil), names...)
	sort.Strings(sorted)
	for _, name := range sorted {
		p := s.byName[name]
		if p == nil || !p.watches() {
			continue
		}
		before := old.byName[name]
		if before != nil && !before.watches() {
			before = nil
		}
		existing := p.Existing && (before == nil || !before.Existing)
		switch p.Trigger.(type) {
		case *DateTrigger:
			v.Campaigns = append(v.Campaigns, name)
		case *InactivityTrigger:
			// One that was there before has armed its own instants, or they are over.
			if !watched(before) || existing {
				v.Campaigns = append(v.Campaigns, name)
			}
		case *SegmentTrigger, *ThresholdTrigger:
			same := before != nil && before.levelSpec() == p.levelSpec()
			if existing || p.watchesClock() && !same {
				v.Campaigns = append(v.Campaigns, name)
			}
		default: // the others look at records only
		}
		if existing {
			v.Existing = append(v.Existing, name)
		}
	}
	return v, len(v.Campaigns) > 0
}

// watched says whether a program has an inactivity trigger; nil has none.
func watched(p *Program) bool {
	if p == nil {
		return false
	}
	_, is := p.Trigger.(*InactivityTrigger)
	return is
}
