package schedule

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/nudge-engine/nudge/campaign/zone"
)

// Calendar is a named list of days, for example the holidays of a country. It is immutable.
type Calendar struct {
	Name string
	// Dates are sorted by Compare, each once: has searches them by halves.
	Dates []CalendarDate
}

// CalendarDate is a day of one year, or the same day of every year.
type CalendarDate struct {
	// Year is 0 for a day of every year; 29 February then comes in leap years only.
	Year       int
	Month, Day int
}

// Compare orders days by year, month and day: negative when d is before other, 0 when they are the
// same, positive otherwise. Days of every year (Year 0) come first.
func (d CalendarDate) Compare(other CalendarDate) int {
	return (d.Year-other.Year)*10_000 + (d.Month-other.Month)*100 + d.Day - other.Day
}

// has reports whether the date of day is in the calendar, for its year or for every year.
func (c *Calendar) has(day time.Time) bool {
	for _, year := range [2]int{0, day.Year()} {
		date := CalendarDate{year, int(day.Month()), day.Day()}
		if _, found := slices.BinarySearchFunc(c.Dates, date, CalendarDate.Compare); found {
			return true
		}
	}
	return false
}

// Next returns the first instant (ms) after another at which the clock in loc shows a minute of the day
// (0 to 1439) on one of the calendar's days. ok is false when there is none within ten years.
func (c *Calendar) Next(loc *time.Location, minute int, after int64) (next int64, ok bool) {
	y, m, d := time.UnixMilli(after).In(loc).Date()
	// Begin a day early: the change of the clocks may move the instant of the day before beyond after.
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

// Spec returns a hash of the days, to tell whether two calendars are the same. The name is not part of
// it.
func (c *Calendar) Spec() string {
	h := sha256.New()
	for _, d := range c.Dates {
		fmt.Fprintf(h, "%d-%d-%d\n", d.Year, d.Month, d.Day)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
