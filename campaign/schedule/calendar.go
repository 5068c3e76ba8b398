package schedule

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/nudge-engine/nudge/campaign/zone"
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

// Compare orders days: negative when d is before other, 0 when they are the same.
func (d CalendarDate) Compare(other CalendarDate) int {
	return (d.Year-other.Year)*10_000 + (d.Month-other.Month)*100 + d.Day - other.Day
}

// has says whether a day is in the calendar.
func (c *Calendar) has(day time.Time) bool {
	for _, year := range [2]int{0, day.Year()} {
		date := CalendarDate{year, int(day.Month()), day.Day()}
		if _, found := slices.BinarySearchFunc(c.Dates, date, CalendarDate.Compare); found {
			return true
		}
	}
	return false
}

// Next is the first instant after another (ms) at a minute of one of the days in a zone;
// false when there is none within ten years.
func (c *Calendar) Next(loc *time.Location, minute int, after int64) (next int64, ok bool) {
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

// Spec tells whether two calendars have the same days.
func (c *Calendar) Spec() string {
	h := sha256.New()
	for _, d := range c.Dates {
		fmt.Fprintf(h, "%d-%d-%d\n", d.Year, d.Month, d.Day)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
