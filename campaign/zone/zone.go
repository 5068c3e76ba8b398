// Package zone turns local times into instants. Its rules come from the IANA database
// that is part of this package (zoneinfo.zip, of Go 1.26), never from the machine, so
// that a replay elsewhere gives the same instants. A local time that a change of the
// clocks leaves out is the first instant after; one that comes twice is the first.
package zone

import (
	"archive/zip"
	"bytes"
	_ "embed" // the database
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

//go:embed zoneinfo.zip
//nudge:constant read only
var database []byte

// ErrUnknown means that the database has no zone of that name.
var ErrUnknown = errors.New("zone: unknown")

// maxRules bounds the rules of one zone, bytes.
const maxRules = 1 << 20

// entry is a zone of the database, which is read when it is first asked for.
type entry func() (*time.Location, error)

// rules are the zones of the database by name. It is opened once.
//
//nudge:constant read only, a function of the database
var rules = sync.OnceValues(func() (map[string]entry, error) {
	r, err := zip.NewReader(bytes.NewReader(database), int64(len(database)))
	if err != nil {
		return nil, fmt.Errorf("zone: the database: %w", err)
	}
	zones := make(map[string]entry, len(r.File))
	for _, f := range r.File {
		if !f.FileInfo().IsDir() {
			zones[f.Name] = sync.OnceValues(func() (*time.Location, error) { return read(f) })
		}
	}
	return zones, nil
})

// read reads the rules of a zone.
func read(f *zip.File) (*time.Location, error) {
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("zone: %s: %w", f.Name, err)
	}
	text, err := io.ReadAll(io.LimitReader(r, maxRules))
	if err = errors.Join(err, r.Close()); err != nil {
		return nil, fmt.Errorf("zone: %s: %w", f.Name, err)
	}
	loc, err := time.LoadLocationFromTZData(f.Name, text)
	if err != nil {
		return nil, fmt.Errorf("zone: %s: %w", f.Name, err)
	}
	return loc, nil
}

// Load is the zone of an IANA name in any case, for example Europe/Kyiv, or of a fixed
// offset: UTC+02:00, +0530, or GMT-8, which is eight hours behind.
func Load(name string) (*time.Location, error) {
	if name == "UTC" {
		return time.UTC, nil
	}
	zones, err := rules()
	if err != nil {
		return nil, err
	}
	load := zones[name]
	if load == nil {
		names, err := lowered()
		if err != nil {
			return nil, err
		}
		if known, found := names[strings.ToLower(strings.TrimSpace(name))]; found {
			load = zones[known]
		} else if loc, is := fixed(name); is {
			return loc, nil
		}
	}
	if load == nil {
		return nil, fmt.Errorf("%w: %q; use a name like Europe/Kyiv, or an offset like UTC+02:00", ErrUnknown,
			clip(name))
	}
	return load()
}

// Names are the names of all zones, sorted.
func Names() []string {
	zones, err := rules()
	if err != nil {
		return nil
	}
	names := []string{"UTC"}
	for name := range zones { //nudge:unordered sorted below
		if name != "UTC" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func clip(s string) string { return s[:min(len(s), 64)] }

// Instant is when it is minute (of the day, 0 to 1439, or beyond: of the days after)
// on a date, in ms.
func Instant(loc *time.Location, year int, month time.Month, day, minute int) int64 {
	wall := time.Date(year, month, day, 0, minute, 0, 0, time.UTC)
	// The offsets in force before and after any change near it: no zone changes twice
	// within two days.
	_, before := wall.Add(-26 * time.Hour).In(loc).Zone()
	_, after := wall.Add(26 * time.Hour).In(loc).Zone()
	for _, offset := range [2]int{max(before, after), min(before, after)} { // the earlier instant first
		at := wall.Add(-time.Duration(offset) * time.Second).In(loc)
		if _, now := at.Zone(); now == offset {
			return at.UnixMilli()
		}
	}
	// Left out: the change itself is the first instant after.
	start, _ := wall.Add(-time.Duration(min(before, after)) * time.Second).In(loc).ZoneBounds()
	return start.UnixMilli()
}

// Days is a set of weekdays; the zero value means every day.
type Days uint8

// Add is d with a weekday.
func (d Days) Add(w time.Weekday) Days { return d | 1<<w }

// Has says whether a weekday is in the set.
func (d Days) Has(w time.Weekday) bool { return d == 0 || d&(1<<w) != 0 }

// Next is the first instant at or after from (ms) at which it is minute of the day on
// one of days.
func Next(loc *time.Location, from int64, minute int, days Days) int64 {
	y, m, d := time.UnixMilli(from).In(loc).Date()
	for i := range 9 { // a week, and a day on either side for what a change moves
		date := time.Date(y, m, d+i-1, 0, 0, 0, 0, time.UTC)
		if at := Instant(loc, date.Year(), date.Month(), date.Day(), minute); at >= from && days.Has(date.Weekday()) {
			return at
		}
	}
	return from + 7*24*3600*1000 // never reached: one of eight days is in any set
}

// Within says whether an instant (ms) lies in the daily window that begins at minute
// from and ends before minute to, which may be on the next day; end is when it ends.
func Within(loc *time.Location, at int64, from, to int) (inside bool, end int64) {
	if to <= from {
		to += 24 * 60
	}
	y, m, d := time.UnixMilli(at).In(loc).Date()
	for i := -1; i <= 0; i++ {
		begin, over := Instant(loc, y, m, d+i, from), Instant(loc, y, m, d+i, to)
		if at >= begin && at < over {
			return true, over
		}
	}
	return false, 0
}

// Period is the unit of a calendar rule.
type Period uint8

// The periods.
const (
	Day Period = iota
	Week
	Month
)

// Start is the beginning of the period that an instant (ms) lies in; weeks begin on
// Monday.
func Start(loc *time.Location, at int64, p Period) int64 {
	local := time.UnixMilli(at).In(loc)
	y, m, d := local.Date()
	switch p {
	case Week:
		d -= (int(local.Weekday()) + 6) % 7
	case Month:
		d = 1
	case Day:
	}
	return Instant(loc, y, m, d, 0)
}

// ParseClock reads a time of day, HH:MM, as minutes of the day; 24:00 is allowed.
func ParseClock(text string) (minute int, ok bool) {
	if len(text) != 5 || text[2] != ':' {
		return 0, false
	}
	digit := func(i int) int { return int(text[i]) - '0' }
	for _, i := range []int{0, 1, 3, 4} {
		if digit(i) < 0 || digit(i) > 9 {
			return 0, false
		}
	}
	hours, minutes := 10*digit(0)+digit(1), 10*digit(3)+digit(4)
	minute = 60*hours + minutes
	return minute, minutes < 60 && minute <= 24*60
}
