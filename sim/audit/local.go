package audit

import "time"

// zone is the customer's or their device's, else the campaign's, the workspace's, UTC.
func (c *customer) zone(def *Campaign) *time.Location {
	own, _ := c.traits["timezone"].(string)
	if zone := c.a.zones.of(own); zone != nil {
		if zone.String() != own || c.a.zones.named(own) == nil {
			c.a.note(NoteOddZone)
		}
		return zone
	}
	if own != "" {
		c.a.note(NoteBadZone)
	}
	if c.device.zone != nil {
		return c.device.zone
	}
	if def != nil {
		if zone := c.a.zones.named(def.Zone); zone != nil {
			return zone
		}
	}
	if zone := c.a.zones.named(c.a.house.Zone); zone != nil {
		return zone
	}
	return time.UTC
}

// clock is the instant of a local time of day: the first at which local clocks show it
// or, where they leave it out, something later.
func clock(year int, month time.Month, day, minute int, zone *time.Location) int64 {
	want := time.Date(year, month, day, 0, minute, 0, 0, time.UTC)
	const span = 4 * time.Hour // more than any clock is ever moved by
	around := time.Date(year, month, day, 0, minute, 0, 0, zone)
	_, before := around.Add(-span).Zone()
	if _, after := around.Add(span).Zone(); before == after { // none is moved: it shows each time once
		return around.UnixMilli()
	}
	for at := around.Add(-span); ; at = at.Add(time.Minute) {
		l := at.In(zone)
		shows := time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), 0, 0, time.UTC)
		if !shows.Before(want) {
			return at.UnixMilli()
		}
	}
}

// next is the first instant from at on that a calendar rule names.
func (a *Auditor) next(ch *chain, u *Until, at int64) int64 {
	zone := a.zones.named(u.Zone)
	if zone == nil {
		zone = ch.customer.zone(ch.def)
	}
	l := time.UnixMilli(at).In(zone)
	for day := l.Day() - 1; ; day++ {
		t := clock(l.Year(), l.Month(), day, u.Minute, zone)
		weekday := time.Date(l.Year(), l.Month(), day, 0, 0, 0, 0, time.UTC).Weekday()
		fits := len(u.Days) == 0
		for _, d := range u.Days {
			fits = fits || d == weekday
		}
		// a chain that goes back to the step at the very instant waits for the next
		if fits && (t > at || t == at && ch.wentBack != at) {
			return t
		}
	}
}

// period names the day, week or month of an instant.
func period(at int64, per string, zone *time.Location) string {
	return begin(at, per, zone).Format(time.DateOnly)
}

func begin(at int64, per string, zone *time.Location) time.Time {
	l := time.UnixMilli(at).In(zone)
	day := l.Day()
	switch per {
	case "week": // from Monday
		day -= (int(l.Weekday()) + 6) % 7
	case "month":
		day = 1
	}
	return time.Date(l.Year(), l.Month(), day, 0, 0, 0, 0, time.UTC)
}

func nextPeriod(at int64, per string, zone *time.Location) int64 {
	b := begin(at, per, zone)
	switch per {
	case "week":
		b = b.AddDate(0, 0, 7)
	case "month":
		b = b.AddDate(0, 1, 0)
	default:
		b = b.AddDate(0, 0, 1)
	}
	return clock(b.Year(), b.Month(), b.Day(), 0, zone)
}
