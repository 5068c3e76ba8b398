package active

import (
	"fmt"
	"sort"
	"time"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/schedule"
)

// ScheduleByCalendar says the schedule of a trigger that names a calendar. One that is
// not there has no days.
func (s *Set) ScheduleByCalendar(t *program.ScheduleTrigger, of Schedule) Schedule {
	of.calendar = s.Rules.calendars[t.Calendar]
	if of.calendar == nil {
		of.calendar = &schedule.Calendar{Name: t.Calendar}
	}
	of.minute = t.At
	of.Spec = fmt.Sprintf("calendar %s %s at %d %s", t.Calendar, of.calendar.Spec(), t.At, of.Loc)
	return of
}

// BulkKind says why all customers are visited.
type BulkKind uint8

// The kinds of visits. Their numbers are part of the stored format.
const (
	BulkBroadcast BulkKind = iota + 1
	BulkSchedule
	BulkActivation
	BulkForget BulkKind = 9 // counters are not kept any more
)

// BulkTask is what happens to every customer of a workspace: a broadcast, an occurrence of
// a schedule, or that campaigns became active.
type BulkTask struct {
	Kind      BulkKind     `json:"Kind"`
	Due       int64        `json:"Due"`       // ms: when it should have been
	Event     *event.Event `json:"Event"`     // of a broadcast
	Campaigns []string     `json:"Campaigns"` // of a schedule or an activation
	// Existing are those of an activation that ask for customers who are already there.
	Existing []string `json:"Existing"`
	// Counters (by id) and Windows (by event) are what is forgotten.
	Counters []string `json:"Counters,omitempty"`
	Windows  []string `json:"Windows,omitempty"`
	// Sums are forgotten of counters that are kept.
	Sums []DroppedCounter `json:"Sums,omitempty"`
}

// Schedule is a schedule trigger in force.
type Schedule struct {
	Campaign string
	Spec     string // tells whether it is still the same rule
	Cron     schedule.Cron
	calendar *schedule.Calendar // nil: cron holds
	minute   int                // of the calendar's days
	Loc      *time.Location
}

// Next is the first occurrence after an instant, in ms; false when there is none.
func (s *Schedule) Next(after int64) (int64, bool) {
	if s.calendar != nil {
		return s.calendar.Next(s.Loc, s.minute, after)
	}
	return s.Cron.Next(s.Loc, after)
}

// DroppedCounter is the sum of a property that nothing asks for any more, of a counter (by id)
// or of the windows of an event.
type DroppedCounter struct {
	Counter  string `json:"Counter"`
	Window   string `json:"Window"`
	Property string `json:"Property"`
}

// Broadcasts says whether a campaign waits for a broadcast of an event name.
func (s *Set) Broadcasts(event string) bool { return len(s.broadcasts[event]) > 0 }

// Activation is the visit that follows when s takes the place of old; false when no
// campaign of those named needs one. A campaign asks for customers who are already
// there when it becomes active or says so for the first time.
func (s *Set) Activation(old *Set, names []string) (v BulkTask, needed bool) {
	v.Kind = BulkActivation
	sorted := append([]string(nil), names...)
	sort.Strings(sorted)
	for _, name := range sorted {
		p := s.ByName[name]
		if p == nil || !p.Watches() {
			continue
		}
		before := old.ByName[name]
		if before != nil && !before.Watches() {
			before = nil
		}
		existing := p.Existing && (before == nil || !before.Existing)
		if p.VisitsExisting(before, existing) {
			v.Campaigns = append(v.Campaigns, name)
		}
		if existing {
			v.Existing = append(v.Existing, name)
		}
	}
	return v, len(v.Campaigns) > 0
}
