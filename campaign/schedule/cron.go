package schedule

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nudge-engine/nudge/campaign/zone"
)

// Cron is a calendar rule: minute, hour, day of the month, month and weekday. When
// both days are restricted, either may hold.
//
// Where the clocks change it follows the rule of Vixie cron. A rule that names hours means
// times of day, each of them once a day: the first of a time that comes twice, and the
// first instant after for times that are left out. A rule for every hour (*, */n, 0-23)
// means an interval: it fires whenever the clock shows one of its times, so that no hour
// is passed over.
type Cron struct {
	minutes, hours, days, months, weekdays uint64 // sets of bits
	anyDay, anyWeekday                     bool
	interval                               bool // for every hour
}

const allHours = 1<<24 - 1

var errCron = errors.New(`write five fields, minute hour day month weekday, for example "0 9 * * 1-5"`)

// ParseCron reads five fields: numbers, *, ranges a-b, lists a,b and steps */n or a-b/n;
// Sunday is 0 or 7, and three-letter English names stand for months and weekdays.
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
	if _, ok := c.Next(time.UTC, 0); !ok {
		return Cron{}, fmt.Errorf("%q never comes", text)
	}
	return c, nil
}

// cronPart reads one element of a list as a set of bits.
func cronPart(part string, low, high int, names []string) (set uint64, err error) {
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

// maxSearch is how far ahead an occurrence is looked for, in days: about ten years.
const maxSearch = 10*366 + 2

// Next is the first instant after another (ms) that the rule names in a zone; false when
// there is none within ten years.
func (c Cron) Next(loc *time.Location, after int64) (next int64, ok bool) {
	if c.interval {
		return c.nextShown(loc, after)
	}
	y, m, d := time.UnixMilli(after).In(loc).Date()
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

// nextShown is the first instant after another (ms) at which the clock of a zone shows a
// time of the rule. It goes from one change of the clocks to the next: between two of them
// local time is the instant plus an offset.
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

// firstWall is the first time that the rule names from one local time on and before
// another; both are written as if they were UTC.
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

// at says whether the rule names a minute of the day.
func (c Cron) at(minute int) bool {
	return c.hours&(1<<(minute/60)) != 0 && c.minutes&(1<<(minute%60)) != 0
}

// on says whether the rule names a day.
func (c Cron) on(day time.Time) bool {
	if c.months&(1<<day.Month()) == 0 {
		return false
	}
	inMonth, inWeek := c.days&(1<<day.Day()) != 0, c.weekdays&(1<<day.Weekday()) != 0
	if c.anyDay || c.anyWeekday {
		return inMonth && inWeek
	}
	return inMonth || inWeek
}
