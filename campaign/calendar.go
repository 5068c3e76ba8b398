package campaign

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/nudge-engine/nudge/campaign/zone"
)

// Limits of calendars.
const (
	maxCalendars     = 50
	maxCalendarDates = 500
)

// Calendar is a list of days with a name, for example the holidays of a country.
type Calendar struct {
	Name  string
	Dates []CalendarDate // sorted, each once
}

// CalendarDate is a day of one year, or of every year.
type CalendarDate struct {
	Year       int // 0: every year; 29 February then comes in leap years only
	Month, Day int
}

func (d CalendarDate) compare(other CalendarDate) int {
	return (d.Year-other.Year)*10_000 + (d.Month-other.Month)*100 + d.Day - other.Day
}

// has says whether a day is in the calendar.
func (c *Calendar) has(day time.Time) bool {
	for _, year := range [2]int{0, day.Year()} {
		date := CalendarDate{year, int(day.Month()), day.Day()}
		if _, found := slices.BinarySearchFunc(c.Dates, date, CalendarDate.compare); found {
			return true
		}
	}
	return false
}

// next is the first instant after another (ms) at a minute of one of the days in a zone;
// false when there is none within ten years.
func (c *Calendar) next(loc *time.Location, minute int, after int64) (next int64, ok bool) {
	y, m, d := time.UnixMilli(after).In(loc).Date()
	for i := range 10*366 + 2 {
		day := time.Date(y, m, d+i-1, 0, 0, 0, 0, time.UTC)
		if !c.has(day) {
			continue
		}
		if at := zone.Instant(loc, day.Year(), day.Month(), day.Day(), minute); at > after {
			return at, true
		}
	}
	return 0, false
}

// spec tells whether two calendars have the same days.
func (c *Calendar) spec() string {
	h := sha256.New()
	for _, d := range c.Dates {
		fmt.Fprintf(h, "%d-%d-%d\n", d.Year, d.Month, d.Day)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// calendars reads those of a policy.
func (r *reader) calendars(n *yaml.Node, p *Policy) {
	named := map[string]bool{}
	r.list(n, "calendars", maxCalendars, func(n *yaml.Node) {
		var c Calendar
		r.object(n, "calendar",
			field{name: "name", required: true, read: func(n *yaml.Node) {
				r.spot(Spot{Field: "calendar", Name: n.Value}, n)
				if r.name(n, "calendar.name", &c.Name); named[c.Name] {
					r.fail(n, "calendar %q is defined twice", c.Name)
				}
				named[c.Name] = true
			}},
			field{name: "dates", required: true, read: func(n *yaml.Node) {
				r.list(n, "calendar.dates", maxCalendarDates, func(n *yaml.Node) { r.calendarDate(n, &c) })
			}})
		p.Calendars = append(p.Calendars, c)
	})
}

// calendarDate reads 2026-04-12, or --12-25 for every year.
func (r *reader) calendarDate(n *yaml.Node, c *Calendar) {
	var text string
	if r.text(n, "calendar.dates", &text); text == "" {
		return
	}
	t, err := time.Parse(time.DateOnly, text)
	yearly := err != nil
	if yearly {
		t, err = time.Parse("2006--01-02", "2000"+text) // a leap year
	}
	d := CalendarDate{t.Year(), int(t.Month()), t.Day()}
	if yearly {
		d.Year = 0
	}
	i, found := slices.BinarySearchFunc(c.Dates, d, CalendarDate.compare)
	switch {
	case err != nil || !yearly && d.Year < 1970:
		r.fail(n, "calendar.dates: %q is no date; write for example 2026-04-12, or --12-25 for every year", text)
	case found:
		r.fail(n, "calendar.dates: %s is there twice", text)
	default:
		c.Dates = slices.Insert(c.Dates, i, d)
	}
}

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

// checkSchedule checks what the fields of a schedule say together.
func (r *reader) checkSchedule(n *yaml.Node, t *ScheduleTrigger, cron, at bool) {
	switch {
	case cron == (t.Calendar != ""):
		r.fail(n, `trigger.schedule: needs cron or calendar, not both; for example cron: "0 9 * * mon"`)
	case at && t.Calendar == "":
		r.fail(n, "trigger.schedule: at goes with calendar; cron says the time itself")
	case t.Calendar != "":
		t.Text = "calendar " + t.Calendar
	}
}
