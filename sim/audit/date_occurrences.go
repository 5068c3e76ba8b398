package audit

import (
	"strconv"
	"strings"
	"time"
)

// day is a date as a customer gives it. Year 0 means no year; minute is that of an instant, else
// -1.
type day struct {
	year   int
	month  time.Month
	day    int
	minute int
}

// dayOf reads a date. Of an instant the zone's clocks say which day and minute it is; where the
// date repeats, those that are written count.
func dayOf(v any, repeats bool, zone *time.Location) (d day, ok bool) {
	text, _ := v.(string)
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		if repeats {
			zone = t.Location()
		}
		d = day{minute: t.In(zone).Hour()*60 + t.In(zone).Minute()}
		d.year, d.month, d.day = t.In(zone).Date()
		return d, !placeholder(d)
	}
	yearless := strings.HasPrefix(text, "--")
	if yearless {
		text = "2000" + text[1:]
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return day{}, false
	}
	d = day{minute: -1}
	d.year, d.month, d.day = t.Date()
	if yearless {
		d.year = 0
	}
	return d, yearless || !placeholder(d)
}

// placeholder reports whether a date is one that programs write for no date.
func placeholder(d day) bool {
	return d.year == 1 || d.year == 1900 || d.year == 1970 && d.month == time.January && d.day == 1
}

// dateZone returns the zone in which the trigger's dates are read.
func (t Trigger) dateZone(c *customer, def *Campaign) *time.Location {
	if t.Zone == "campaign" {
		return (&customer{a: c.a}).zone(def)
	}
	if zone := c.a.zones.named(t.Zone); zone != nil {
		return zone
	}
	return c.zone(def)
}

// instant returns when the trigger fires for a day.
func (t Trigger) instant(d day, on time.Time, offset int, zone *time.Location) int64 {
	minute := 0
	switch {
	case t.HasAt:
		minute = t.Minute
	case d.minute >= 0:
		minute = d.minute
	}
	on = on.AddDate(0, 0, offset)
	return localInstant(on.Year(), on.Month(), on.Day(), minute, zone)
}

// occurrences returns those around an instant, earliest first.
func (t Trigger) occurrences(d day, now int64, zone *time.Location) (all []occurrence) {
	date := func(y int, m time.Month, n int) time.Time { return time.Date(y, m, n, 0, 0, 0, 0, time.UTC) }
	l := time.UnixMilli(now).In(zone)
	switch t.Repeat {
	case Yearly:
		for y := l.Year() - 2; y <= l.Year()+yearsAhead; y++ {
			on := date(y, d.month, d.day)
			if on.Month() != d.month { // 29 February
				switch t.Feb29 {
				case LeapOnly:
					continue
				case Mar1:
					on = date(y, time.March, 1)
				default:
					on = date(y, time.February, 28)
				}
			}
			if y >= d.year {
				all = append(all, occurrence{key: strconv.Itoa(y), day: on, original: y == d.year})
			}
		}
	case Monthly:
		for k := -3; k <= monthsAhead; k++ {
			first := date(l.Year(), l.Month()+time.Month(k), 1)
			on := date(first.Year(), first.Month(), min(d.day, first.AddDate(0, 1, -1).Day()))
			begin := date(d.year, d.month, 1)
			if !first.Before(begin) {
				all = append(all, occurrence{key: first.Format("2006-01"), day: on, original: first.Equal(begin)})
			}
		}
	default:
		if d.year != 0 {
			on := date(d.year, d.month, d.day)
			all = append(all, occurrence{key: on.Format(time.DateOnly), day: on})
		}
	}
	return all
}
