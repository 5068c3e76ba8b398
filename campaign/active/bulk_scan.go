package active

import (
	"fmt"
	"sort"
	"time"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/schedule"
)

// ScheduleByCalendar returns the schedule of a trigger that names a calendar, with the campaign
// and zone of the given one. A calendar that no policy defines has no days, so the schedule
// never fires.
func (s *Set) ScheduleByCalendar(t *program.ScheduleTrigger, of Schedule) Schedule {
	of.calendar = s.Rules.calendars[t.Calendar]
	if of.calendar == nil {
		of.calendar = &schedule.Calendar{Name: t.Calendar}
	}
	of.minute = t.At
	// The days are part of the spec: a calendar whose days change is another schedule.
	of.Spec = fmt.Sprintf("calendar %s %s at %d %s", t.Calendar, of.calendar.Spec(), t.At, of.Loc)
	return of
}

// BulkKind says why a bulk scan goes through all customers of a workspace.
type BulkKind uint8

// The causes of a bulk scan (BulkTask.Kind). Their numbers are part of the stored format.
const (
	// BulkBroadcast: an event without a customer starts chains.
	BulkBroadcast BulkKind = iota + 1
	// BulkSchedule: a schedule trigger has an occurrence.
	BulkSchedule
	// BulkActivation: campaigns become active.
	BulkActivation
	// BulkForget: counters, windows or sums are not kept any more.
	BulkForget BulkKind = 9
)

// BulkTask is what a bulk scan does to every customer of a workspace. Which fields are used
// depends on Kind. It is stored as JSON in control state, so its names and numbers do not
// change.
type BulkTask struct {
	Kind BulkKind `json:"Kind"`
	// Due is when the task should have been done, Unix ms.
	Due int64 `json:"Due"`
	// Event is the event of a broadcast.
	Event *event.Event `json:"Event"`
	// Campaigns are the names of the campaigns of a schedule or an activation.
	Campaigns []string `json:"Campaigns"`
	// Existing are the campaigns of an activation that also want customers who are already
	// there ("existing: include").
	Existing []string `json:"Existing"`
	// Counters (by id) and Windows (by event name) are what customers forget.
	Counters []string `json:"Counters,omitempty"`
	Windows  []string `json:"Windows,omitempty"`
	// Sums are the sums to forget of counters that are otherwise kept.
	Sums []DroppedCounter `json:"Sums,omitempty"`
}

// Schedule is a schedule trigger in force: when it occurs is said by a cron expression or by
// the days of a calendar, in a time zone.
type Schedule struct {
	Campaign string
	// Spec is a text of the rule: an equal one means the same occurrences, so that nothing is
	// missed or repeated when the definition is applied again.
	Spec string
	Cron schedule.Cron
	// calendar is nil where Cron holds.
	calendar *schedule.Calendar
	// minute is the minute of each of the calendar's days.
	minute int
	Loc    *time.Location
}

// Next returns the first occurrence after the instant after, both in ms; false if there is
// none.
func (s *Schedule) Next(after int64) (int64, bool) {
	if s.calendar != nil {
		return s.calendar.Next(s.Loc, s.minute, after)
	}
	return s.Cron.Next(s.Loc, after)
}

// DroppedCounter names a sum that nothing asks for any more: the property, and either the
// counter (by id) or the window (by event name) that summed it.
type DroppedCounter struct {
	Counter  string `json:"Counter"`
	Window   string `json:"Window"`
	Property string `json:"Property"`
}

// Broadcasts reports whether a campaign waits for a broadcast with the event name.
func (s *Set) Broadcasts(event string) bool { return len(s.broadcasts[event]) > 0 }

// Activation returns the bulk task that is due when s takes the place of old, where names are
// the campaigns that were applied; needed is false if none of them needs one. A campaign that
// becomes active goes through all customers if its trigger has to begin watching them. Existing
// customers enter when the campaign becomes active with "existing: include", or says so for the
// first time.
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
