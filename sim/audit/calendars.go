package audit

import (
	"slices"
	"strings"
	"time"
)

// Calendar is a list of days of the workspace: 2026-04-12, or --12-25 of every year.
type Calendar struct {
	Name  string
	Dates []string
}

func (c Calendar) yaml() string {
	return "{" + fields{}.add("name", quote(c.Name)).add("dates", list(c.Dates)).text() + "}"
}

func (h WorkspacePolicy) calendars() string {
	all := make([]string, 0, len(h.Calendars))
	for _, c := range h.Calendars {
		all = append(all, c.yaml())
	}
	return "[" + strings.Join(all, ", ") + "]"
}

// calendarAhead is how many days a calendar's next day is looked for; a day of every year
// comes within a leap year's distance.
const calendarAhead = 9 * 366

// calendarDay is the first occurrence of a schedule by calendar after an instant; 0: none.
func (a *Auditor) calendarDay(t *Trigger, zone *time.Location, after int64) int64 {
	at := slices.IndexFunc(a.house.Calendars, func(c Calendar) bool { return c.Name == t.Calendar })
	if at < 0 {
		return 0
	}
	dates := a.house.Calendars[at].Dates
	l := time.UnixMilli(after).In(zone)
	for day := l.Day() - 1; day < l.Day()+calendarAhead; day++ {
		date := time.Date(l.Year(), l.Month(), day, 0, 0, 0, 0, time.UTC)
		if !slices.Contains(dates, date.Format(time.DateOnly)) && !slices.Contains(dates, date.Format("--01-02")) {
			continue
		}
		if due := clock(date.Year(), date.Month(), date.Day(), t.Minute, zone); due > after {
			return due
		}
	}
	return 0
}
