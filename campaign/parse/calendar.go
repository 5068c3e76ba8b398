package parse

import (
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/schedule"
)

// The greatest numbers of calendars and of their dates.
const (
	// maxCalendars bounds the calendars of one policy document.
	maxCalendars = 50
	// maxCalendarDates bounds the dates of one calendar.
	maxCalendarDates = 500
)

// calendars reads the calendars of a policy: a list of {name, dates}.
func (r *policyReader) calendars(n *yaml.Node, p *program.Policy) {
	named := map[string]bool{}
	r.core.list(n, "calendars", maxCalendars, func(n *yaml.Node) {
		var c schedule.Calendar
		r.core.object(n, "calendar",
			field{name: "name", required: true, read: func(n *yaml.Node) {
				r.core.spot(Spot{Field: "calendar", Name: n.Value}, n)
				if r.core.name(n, "calendar.name", &c.Name); named[c.Name] {
					r.core.fail(n, "calendar %q is defined twice", c.Name)
				}
				named[c.Name] = true
			}},
			field{name: "dates", required: true, read: func(n *yaml.Node) {
				r.core.list(n, "calendar.dates", maxCalendarDates, func(n *yaml.Node) { r.calendarDate(n, &c) })
			}})
		p.Calendars = append(p.Calendars, c)
	})
}

// calendarDate reads one day of a calendar into c, which stays sorted: a date such as 2026-04-12, or,
// for a day of every year, month and day such as --12-25.
func (r *policyReader) calendarDate(n *yaml.Node, c *schedule.Calendar) {
	var text string
	if r.core.text(n, "calendar.dates", &text); text == "" {
		return
	}
	t, err := time.Parse(time.DateOnly, text)
	yearly := err != nil
	if yearly {
		// 2000 has a 29 February, so --02-29 is a date.
		t, err = time.Parse("2006--01-02", "2000"+text) // a leap year
	}
	d := schedule.CalendarDate{Year: t.Year(), Month: int(t.Month()), Day: t.Day()}
	if yearly {
		d.Year = 0
	}
	i, found := slices.BinarySearchFunc(c.Dates, d, schedule.CalendarDate.Compare)
	switch {
	case err != nil || !yearly && d.Year < 1970:
		r.core.fail(n, "calendar.dates: %q is no date; write for example 2026-04-12, or --12-25 for every year", text)
	case found:
		r.core.fail(n, "calendar.dates: %s is there twice", text)
	default:
		c.Dates = slices.Insert(c.Dates, i, d)
	}
}
