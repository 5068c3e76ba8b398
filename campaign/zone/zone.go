// Package zone turns local times into instants and back. Its rules come from the IANA time zone
// database that is part of this package (zoneinfo.zip, of Go 1.26), never from the machine, so that a
// replay elsewhere computes the same instants.
//
// A local time that a change of the clocks leaves out stands for the first instant after the change; of
// one that comes twice the first is meant. Instants are ms since the Unix epoch. All functions are safe
// for concurrent use.
//
// zone.go loads zones and computes with them; name.go reads the names and offsets that people write.
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

// database is zoneinfo.zip as Go distributes it: one file for each zone.
//
//go:embed zoneinfo.zip
//nudge:constant read only
var database []byte

// ErrUnknown means that a name is neither a zone of the database nor an offset.
var ErrUnknown = errors.New("zone: unknown")

// maxRules is the greatest size in bytes of the rules of one zone. The largest is some four kilobytes;
// the bound is there because the archive is decompressed.
const maxRules = 1 << 20

// entry reads a zone of the database at its first call, and returns the same one afterwards.
type entry func() (*time.Location, error)

// rules returns the zones of the database by name. The archive is opened at the first call.
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

// read decompresses and parses the rules of a zone.
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

// Load returns the zone with an IANA name in any case, for example Europe/Kyiv, or with a fixed offset:
// UTC+02:00, +0530, or GMT-8, which is eight hours behind UTC. The error wraps ErrUnknown where there
// is no such zone. Loading a zone again costs one look-up.
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
		// The exact name is the common case and needs no table of lower-case names.
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

// Names returns the names of all zones, sorted. It returns nil where the database cannot be read.
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

// clip shortens s for an error message.
func clip(s string) string { return s[:min(len(s), 64)] }

// Instant returns the instant (ms) at which the clock in loc shows a minute on a date. minute counts
// from midnight by the clock; beyond 1439 it is on the days after.
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

// Days is a set of weekdays: bit n is time.Weekday n. The zero value means every day.
type Days uint8

// Add returns d with a weekday added.
func (d Days) Add(w time.Weekday) Days { return d | 1<<w }

// Has reports whether a weekday is in the set.
func (d Days) Has(w time.Weekday) bool { return d == 0 || d&(1<<w) != 0 }

// Next returns the first instant (ms) at or after from at which it is a minute of the day (0 to 1439)
// on one of days.
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

// Within reports whether an instant (ms) lies in the daily window that begins at minute from and ends
// before minute to. Where to is not after from, the window ends on the next day. end is the instant at
// which the window ends, 0 where at is outside.
func Within(loc *time.Location, at int64, from, to int) (inside bool, end int64) {
	if to <= from {
		to += 24 * 60
	}
	y, m, d := time.UnixMilli(at).In(loc).Date()
	// A window that began yesterday may still be open.
	for i := -1; i <= 0; i++ {
		begin, over := Instant(loc, y, m, d+i, from), Instant(loc, y, m, d+i, to)
		if at >= begin && at < over {
			return true, over
		}
	}
	return false, 0
}

// Period is the unit of a calendar rule, such as a cap of three messages a week.
type Period uint8

// The units of calendar rules.
const (
	Day Period = iota
	Week
	Month
)

// Start returns the instant (ms) at which the period with the instant at in it began, by the clock in
// loc. Weeks begin on Monday.
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

// ParseClock reads a time of day in the form HH:MM as minutes of the day, 0 to 1440. 24:00 is the end
// of a day. ok is false for anything else.
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
