package campaign

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
type Cron struct {
	minutes, hours, days, months, weekdays uint64 // sets of bits
	anyDay, anyWeekday                     bool
}

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

// Next is the first instant after another (ms) that the rule names in a zone; false when
// there is none within ten years.
func (c Cron) Next(loc *time.Location, after int64) (next int64, ok bool) {
	y, m, d := time.UnixMilli(after).In(loc).Date()
	for i := range 10*366 + 2 {
		day := time.Date(y, m, d+i-1, 0, 0, 0, 0, time.UTC)
		if !c.on(day) {
			continue
		}
		for minute := range 24 * 60 {
			if c.hours&(1<<(minute/60)) == 0 || c.minutes&(1<<(minute%60)) == 0 {
				continue
			}
			if at := zone.Instant(loc, day.Year(), day.Month(), day.Day(), minute); at > after {
				return at, true
			}
		}
	}
	return 0, false
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
