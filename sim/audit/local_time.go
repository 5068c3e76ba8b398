package audit

import "time"

// localInstant returns the instant of a local time of day: the first at which local clocks show it
// or, where they leave it out, the first at which they show something later.
func localInstant(year int, month time.Month, day, minute int, zone *time.Location) int64 {
	want := time.Date(year, month, day, 0, minute, 0, 0, time.UTC)
	const span = 4 * time.Hour // more than any clock is ever moved by
	around := time.Date(year, month, day, 0, minute, 0, 0, zone)
	_, before := around.Add(-span).Zone()
	if _, after := around.Add(span).Zone(); before == after { // clocks are not changed: each time comes once
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

// nextLocal returns the first instant from at on that a calendar rule names.
func (a *Auditor) nextLocal(ch *chain, u *Until, at int64) int64 {
	zone := a.zones.named(u.Zone)
	if zone == nil {
		zone = ch.customer.zone(ch.def)
	}
	l := time.UnixMilli(at).In(zone)
	for day := l.Day() - 1; ; day++ {
		t := localInstant(l.Year(), l.Month(), day, u.Minute, zone)
		weekday := time.Date(l.Year(), l.Month(), day, 0, 0, 0, 0, time.UTC).Weekday()
		fits := len(u.Days) == 0
		for _, d := range u.Days {
			fits = fits || d == weekday
		}
		// A chain that jumped back to the step at this very instant waits for the next one.
		if fits && (t > at || t == at && ch.lastJumpAt != at) {
			return t
		}
	}
}

// periodName names the day, week or month of an instant.
func periodName(at int64, per string, zone *time.Location) string {
	return periodStart(at, per, zone).Format(time.DateOnly)
}

// periodStart returns the first day of the day, week or month of an instant.
func periodStart(at int64, per string, zone *time.Location) time.Time {
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

// nextPeriod returns the instant at which the next one begins.
func nextPeriod(at int64, per string, zone *time.Location) int64 {
	b := periodStart(at, per, zone)
	switch per {
	case "week":
		b = b.AddDate(0, 0, 7)
	case "month":
		b = b.AddDate(0, 1, 0)
	default:
		b = b.AddDate(0, 0, 1)
	}
	return localInstant(b.Year(), b.Month(), b.Day(), 0, zone)
}
