package audit

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// schedule is the next occurrence of a campaign that starts by a schedule; 0: there is none.
type schedule struct {
	campaign string
	rule     string
	next     int64
}

// reschedule plans the schedules of the campaigns in force. A new version with the same rule goes
// on with the occurrence that was planned.
func (a *Auditor) reschedule() {
	var all []schedule
	for i := range a.campaigns {
		if a.campaigns[i].Trigger.Kind != KindSchedule {
			continue
		}
		s := schedule{a.campaigns[i].Name, a.scheduleRule(i), a.occurrence(i, a.now)}
		for _, old := range a.schedules {
			if old.campaign == s.campaign && old.rule == s.rule {
				s.next = old.next
			}
		}
		all = append(all, s)
	}
	a.schedules = all
}

// scheduleRule returns what the occurrences of a schedule depend on.
func (a *Auditor) scheduleRule(i int) string {
	t := a.campaigns[i].Trigger
	return fmt.Sprint(t.Minute, t.Daily, t.Calendar, t.Zone, a.campaigns[i].Zone, a.policy.Zone)
}

// nextOccurrence returns the schedule's next occurrence, to be changed in place; nil without one.
func (a *Auditor) nextOccurrence(i int) *int64 {
	for k := range a.schedules {
		if a.schedules[k].campaign == a.campaigns[i].Name {
			return &a.schedules[k].next
		}
	}
	return nil
}

// startSchedules begins the scans for the schedules that came since the last frame, one scan for
// each instant. Of occurrences that a downtime missed only the last counts.
func (a *Auditor) startSchedules() {
	var all []*bulkScan
	for i := range a.campaigns {
		s := a.nextOccurrence(i)
		if s == nil || *s == 0 {
			continue
		}
		last := int64(0)
		for *s != 0 && *s <= a.now {
			last = *s
			*s = a.occurrence(i, *s)
		}
		if last == 0 {
			continue
		}
		at, known := slices.BinarySearchFunc(
			all,
			last,
			func(t *bulkScan, due int64) int { return cmp.Compare(t.due, due) },
		)
		if !known {
			all = slices.Insert(all, at, &bulkScan{
				due: last, event: &Event{ID: AnyID, Name: "$schedule", Time: last, Type: TypeTrack},
				remaining: slices.Clone(a.customers),
			})
		}
		all[at].campaigns = append(all[at].campaigns, a.campaigns[i].Name)
	}
	a.bulkScans = append(a.bulkScans, all...)
}

// occurrence returns the schedule's first instant after another.
func (a *Auditor) occurrence(i int, after int64) int64 {
	t := a.campaigns[i].Trigger
	zone := a.zones.named(t.Zone)
	if zone == nil {
		zone = (&customer{a: a}).zone(a.campaigns[i])
	}
	if t.Calendar != "" {
		return a.calendarDay(&t, zone, after)
	}
	if t.Daily { // once a day: the first where a time comes twice, and later where clocks leave it out
		l := time.UnixMilli(after).In(zone)
		for day := l.Day() - 1; ; day++ {
			if at := localInstant(l.Year(), l.Month(), day, t.Minute, zone); at > after {
				if shown := time.UnixMilli(at).In(zone); shown.Hour()*60+shown.Minute() != t.Minute {
					a.note(NoteClockGap)
				}
				return at
			}
		}
	}
	for at := after/60_000*60_000 + 60_000; ; at += 60_000 { // whenever the clock shows the minute
		if time.UnixMilli(at).In(zone).Minute() == t.Minute {
			return at
		}
	}
}

// calendarAhead is how many days the next day of a calendar is looked for: a day of every year
// comes within the distance of two leap years.
const calendarAhead = 9 * 366

// calendarDay returns the first instant of a schedule by calendar after another; 0 if there is
// none.
func (a *Auditor) calendarDay(t *Trigger, zone *time.Location, after int64) int64 {
	at := slices.IndexFunc(a.policy.Calendars, func(c Calendar) bool { return c.Name == t.Calendar })
	if at < 0 {
		return 0
	}
	dates := a.policy.Calendars[at].Dates
	l := time.UnixMilli(after).In(zone)
	for day := l.Day() - 1; day < l.Day()+calendarAhead; day++ {
		date := time.Date(l.Year(), l.Month(), day, 0, 0, 0, 0, time.UTC)
		if !slices.Contains(dates, date.Format(time.DateOnly)) && !slices.Contains(dates, date.Format("--01-02")) {
			continue
		}
		if due := localInstant(date.Year(), date.Month(), date.Day(), t.Minute, zone); due > after {
			return due
		}
	}
	return 0
}
