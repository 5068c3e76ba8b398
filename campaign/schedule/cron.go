package schedule

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nudge-engine/nudge/campaign/zone"
)

// Cron is a rule of five fields: minute, hour, day of the month, month and weekday. When both kinds of
// day are restricted, a day fulfils the rule if either does. A Cron is immutable.
//
// Where the clocks change it follows Vixie cron. A rule that names hours means times of day, each once
// a day: of a time that comes twice the first, and for times that are left out the first instant after.
// A rule for every hour (*, */n, 0-23) means an interval: it fires whenever the clock shows one of its
// times, so that no hour is passed over.
type Cron struct {
	// Bit n is set where the field has the value n. Sunday is bit 0, and bit 7 where it was written so.
	minutes, hours, days, months, weekdays uint64 // sets of bits
	// anyDay and anyWeekday are true where the field begins with *, which counts as "not restricted".
	anyDay, anyWeekday bool
	// interval is true for a rule for every hour.
	interval bool
}

// allHours is the set of the hours 0 to 23.
const allHours = 1<<24 - 1

// errCron tells how to write a rule.
var errCron = errors.New(`write five fields, minute hour day month weekday, for example "0 9 * * 1-5"`)

// ParseCron reads five fields separated by spaces: numbers, *, ranges a-b, lists a,b and steps */n or
// a-b/n. Sunday is 0 or 7, and three-letter English names stand for months and weekdays. It fails where
// text is over 255 bytes, a value is out of range, or the rule never comes, such as 30 February.
func ParseCron(text string) (Cron, error) {
	fields := strings.Fields(text)
	if len(fields) != 5 || len(text) > 255 {
		return Cron{}, errCron
	}
	var c Cron
	months := []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}
	weekdays := []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
	for i, f := range []struct {
		into      *uint64
		low, high int
		names     []string
	}{
		{&c.minutes, 0, 59, nil},
		{&c.hours, 0, 23, nil},
		{&c.days, 1, 31, nil},
		{&c.months, 1, 12, months},
		{&c.weekdays, 0, 7, weekdays},
	} {
		for part := range strings.SplitSeq(strings.ToLower(fields[i]), ",") {
			set, err := cronPart(part, f.low, f.high, f.names)
			if err != nil {
				return Cron{}, err
			}
			*f.into |= set
		}
	}
	if c.weekdays&(1<<7) != 0 {
		c.weekdays |= 1
	}
	c.anyDay, c.anyWeekday = strings.HasPrefix(fields[2], "*"), strings.HasPrefix(fields[4], "*")
	c.interval = strings.HasPrefix(fields[1], "*") || c.hours == allHours
	// The epoch as the start suffices: whatever comes at all comes within eight years, the longest
	// distance between two days of 29 February.
	if _, ok := c.Next(time.UTC, 0); !ok {
		return Cron{}, fmt.Errorf("%q never comes", text)
	}
	return c, nil
}

// cronPart reads one element of a list in a field, such as "5", "mon-fri" or "*/15", as a set of bits.
func cronPart(part string, low, high int, names []string) (set uint64, err error) {
	// value reads one number or name of the field.
	value := func(s string) (int, error) {
		for i, name := range names {
			if s == name {
				return i + low, nil
			}
		}
		n, err := strconv.Atoi(s)
		if err != nil || n < low || n > high {
			return 0, fmt.Errorf("%q is not from %d to %d; %w", s, low, high, errCron)
		}
		return n, nil
	}
	span, step, stepped := strings.Cut(part, "/")
	every := 1
	if stepped {
		if every, err = strconv.Atoi(step); err != nil || every < 1 || every > high {
			return 0, fmt.Errorf("step %q is not from 1 to %d; %w", step, high, errCron)
		}
	}
	from, to := low, high
	if span != "*" {
		a, b, ranged := strings.Cut(span, "-")
		if from, err = value(a); err != nil {
			return 0, err
		}
		switch {
		case ranged:
			if to, err = value(b); err != nil {
				return 0, err
			}
		// A single number is that number; with a step ("5/15") it is the beginning of a range to the
		// end.
		case !stepped:
			to = from
		}
		if to < from {
			return 0, fmt.Errorf("%q ends before it begins; %w", span, errCron)
		}
	}
	for n := from; n <= to; n += every {
		set |= 1 << n
	}
	return set, nil
}

// maxSearch is how far ahead an occurrence is searched, in days: about ten years.
const maxSearch = 10*366 + 2

// Next returns the first instant (ms) after another that the rule names in loc. ok is false when there
// is none within ten years.
func (c Cron) Next(loc *time.Location, after int64) (next int64, ok bool) {
	if c.interval {
		return c.nextShown(loc, after)
	}
	y, m, d := time.UnixMilli(after).In(loc).Date()
	// Begin a day early: the change of the clocks may move an instant of the day before beyond after.
	for i := range maxSearch {
		day := time.Date(y, m, d+i-1, 0, 0, 0, 0, time.UTC)
		if !c.on(day) {
			continue
		}
		for minute := range 24 * 60 {
			if !c.at(minute) {
				continue
			}
			if at := zone.Instant(loc, day.Year(), day.Month(), day.Day(), minute); at > after {
				return at, true
			}
		}
	}
	return 0, false
}

// nextShown returns the first instant (ms) after another at which the clock in loc shows a time of the
// rule. It goes from one change of the clocks to the next: between two of them local time is the
// instant plus an offset.
func (c Cron) nextShown(loc *time.Location, after int64) (next int64, ok bool) {
	from := time.UnixMilli(after + 1)
	last := from.AddDate(0, 0, maxSearch)
	for from.Before(last) {
		local := from.In(loc)
		_, seconds := local.Zone()
		offset := time.Duration(seconds) * time.Second
		_, end := local.ZoneBounds()
		if end.IsZero() || end.After(last) {
			end = last
		}
		if wall, found := c.firstWall(from.UTC().Add(offset), end.UTC().Add(offset)); found {
			return wall.Add(-offset).UnixMilli(), true
		}
		from = end
	}
	return 0, false
}

// firstWall returns the first time that the rule names in the half-open range of local times from
// "from" to "before". Local times are written as if they were UTC.
func (c Cron) firstWall(from, before time.Time) (wall time.Time, ok bool) {
	minute := from.Truncate(time.Minute)
	if minute.Before(from) {
		minute = minute.Add(time.Minute)
	}
	for minute.Before(before) {
		day := time.Date(minute.Year(), minute.Month(), minute.Day(), 0, 0, 0, 0, time.UTC)
		if c.on(day) {
			for of := minute.Hour()*60 + minute.Minute(); of < 24*60; of++ {
				if at := day.Add(time.Duration(of) * time.Minute); c.at(of) {
					return at, at.Before(before)
				}
			}
		}
		minute = day.AddDate(0, 0, 1)
	}
	return time.Time{}, false
}

// at reports whether the rule names a minute of the day, 0 to 1439.
func (c Cron) at(minute int) bool {
	return c.hours&(1<<(minute/60)) != 0 && c.minutes&(1<<(minute%60)) != 0
}

// on reports whether the rule names the date of day.
func (c Cron) on(day time.Time) bool {
	if c.months&(1<<day.Month()) == 0 {
		return false
	}
	inMonth, inWeek := c.days&(1<<day.Day()) != 0, c.weekdays&(1<<day.Weekday()) != 0
	// One of the fields allows every day, so both hold exactly when the restricted one does.
	if c.anyDay || c.anyWeekday {
		return inMonth && inWeek
	}
	return inMonth || inWeek
}
