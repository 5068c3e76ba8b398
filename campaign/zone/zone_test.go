package zone_test

import (
	"errors"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/campaign/zone"
)

func load(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := zone.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func utc(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04") }

func TestLoad(t *testing.T) {
	for _, bad := range []string{"", "Europe", "Europe/", "Nowhere/At_all", "../etc/passwd", "Local"} {
		if _, err := zone.Load(bad); !errors.Is(err, zone.ErrUnknown) {
			t.Errorf("%q: %v; want ErrUnknown", bad, err)
		}
	}
}

// Names in any case and fixed offsets are zones; the sign of an offset is that of a clock,
// except in the database's own names.
func TestNames(t *testing.T) {
	for name, want := range map[string]int{
		"america/los_angeles": -8 * 60, " Europe/kyiv ": 120, "GMT-8": -8 * 60, "gmt+08": 8 * 60, "UTC+02:00": 120,
		"+0200": 120, "-05:30": -330, "+14:00": 14 * 60, "Etc/GMT+8": -8 * 60, "etc/gmt-2": 120, "Z": 0, "utc": 0,
		"GMT": 0, "UTC-0": 0, "+5": 300, "EST": -300,
	} {
		_, got := time.Date(2026, 1, 15, 0, 0, 0, 0, time.UTC).In(load(t, name)).Zone()
		if got != want*60 {
			t.Errorf("%q: %d minutes from UTC; want %d", name, got/60, want)
		}
	}
	for _, bad := range []string{
		"Pacific Standard Time", "+15", "UTC+14:01", "+02:60", "GMT8", "8", "+2:5", "UTC+", "+12345", "W. Europe Standard Time",
	} {
		if _, err := zone.Load(bad); !errors.Is(err, zone.ErrUnknown) {
			t.Errorf("%q: %v; want ErrUnknown", bad, err)
		}
	}
}

// Local times around the changes of 2026, worked out by hand from the published
// offsets: in the gap the first instant after it, of the repeated hour the first.
func TestInstant(t *testing.T) {
	for _, c := range []struct{ zone, local, want string }{
		{"America/New_York", "2026-03-08T01:59", "2026-03-08T06:59"},
		{"America/New_York", "2026-03-08T02:30", "2026-03-08T07:00"}, // gap
		{"America/New_York", "2026-03-08T03:00", "2026-03-08T07:00"},
		{"America/New_York", "2026-11-01T01:30", "2026-11-01T05:30"}, // the first of two
		{"America/New_York", "2026-11-01T02:00", "2026-11-01T07:00"},
		{"Europe/Kyiv", "2026-03-29T03:30", "2026-03-29T01:00"}, // gap
		{"Europe/Kyiv", "2026-03-29T09:00", "2026-03-29T06:00"},
		{"Europe/Kyiv", "2026-10-25T03:30", "2026-10-25T00:30"}, // the first of two
		{"Europe/Kyiv", "2026-10-25T04:00", "2026-10-25T02:00"},
		{"Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T14:45"}, // half an hour comes twice
		{"Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:30"}, // half an hour is left out
		{"Asia/Colombo", "2026-03-29T02:30", "2026-03-28T21:00"},
		{"Asia/Tokyo", "2026-10-25T02:30", "2026-10-24T17:30"},
		{"Pacific/Apia", "2011-12-30T12:00", "2011-12-30T10:00"}, // a day that never was
		{"Pacific/Apia", "2011-12-31T09:00", "2011-12-30T19:00"},
		{"UTC", "2026-03-29T02:30", "2026-03-29T02:30"},
	} {
		local, err := time.Parse("2006-01-02T15:04", c.local)
		if err != nil {
			t.Fatal(err)
		}
		y, m, d := local.Date()
		got := utc(zone.Instant(load(t, c.zone), y, m, d, local.Hour()*60+local.Minute()))
		if got != c.want {
			t.Errorf("%s %s: %s; want %s", c.zone, c.local, got, c.want)
		}
	}
}

// Whatever the zone and the day: the instant of a local time reads as that time, or
// the instant before it reads as an earlier one.
func TestInstantAlways(t *testing.T) {
	for _, name := range []string{
		"America/New_York", "Europe/Kyiv", "Asia/Colombo", "Australia/Lord_Howe", "Asia/Tokyo", "Pacific/Apia",
	} {
		loc := load(t, name)
		for day := range 366 {
			for minute := 0; minute < 1440; minute += 15 {
				wall := time.Date(2026, 1, 1+day, 0, minute, 0, 0, time.UTC)
				at := time.UnixMilli(zone.Instant(loc, 2026, 1, 1+day, minute)).In(loc)
				text, want := at.Format(time.DateTime), wall.Format(time.DateTime)
				before := at.Add(-time.Minute).Format(time.DateTime)
				if text != want && (text < want || before >= want) {
					t.Fatalf("%s %s: it is %s there, and a minute before %s", name, want, text, before)
				}
				if text == want && at.Add(-time.Hour).Format(time.DateTime) == want {
					t.Fatalf("%s %s: an hour before it is the same time", name, want)
				}
			}
		}
	}
}

func TestNext(t *testing.T) {
	kyiv := load(t, "Europe/Kyiv")
	from := time.Date(2026, 3, 27, 8, 0, 0, 0, time.UTC).UnixMilli() // Friday 10:00 there
	weekdays := zone.Days(0).Add(time.Monday).Add(time.Tuesday)
	for _, c := range []struct {
		minute int
		days   zone.Days
		want   string
	}{
		{600, 0, "2026-03-27T08:00"}, // at it: now
		{599, 0, "2026-03-28T07:59"},
		{540, weekdays, "2026-03-30T06:00"}, // behind the change: an hour earlier
		{1439, 0, "2026-03-27T21:59"},
	} {
		if got := utc(zone.Next(kyiv, from, c.minute, c.days)); got != c.want {
			t.Errorf("minute %d on %b: %s; want %s", c.minute, c.days, got, c.want)
		}
	}
}

func TestWithin(t *testing.T) {
	kyiv := load(t, "Europe/Kyiv")
	for _, c := range []struct {
		at       string
		from, to int
		end      string // empty: outside
	}{
		{"2026-03-28T18:59", 21 * 60, 9 * 60, ""},
		{"2026-03-28T19:00", 21 * 60, 9 * 60, "2026-03-29T06:00"}, // the night of the change has an hour less
		{"2026-03-29T05:59", 21 * 60, 9 * 60, "2026-03-29T06:00"},
		{"2026-03-29T06:00", 21 * 60, 9 * 60, ""},
		{"2026-03-29T10:00", 12 * 60, 14 * 60, "2026-03-29T11:00"},
		{"2026-03-29T11:00", 12 * 60, 14 * 60, ""},
	} {
		at, err := time.Parse("2006-01-02T15:04", c.at)
		if err != nil {
			t.Fatal(err)
		}
		inside, end := zone.Within(kyiv, at.UnixMilli(), c.from, c.to)
		if inside != (c.end != "") || inside && utc(end) != c.end {
			t.Errorf("%s: %v until %s; want %q", c.at, inside, utc(end), c.end)
		}
	}
}

func TestStart(t *testing.T) {
	kyiv := load(t, "Europe/Kyiv")
	at := time.Date(2026, 3, 29, 21, 30, 0, 0, time.UTC).UnixMilli() // Monday 00:30 there
	for p, want := range map[zone.Period]string{
		zone.Day: "2026-03-29T21:00", zone.Week: "2026-03-29T21:00", zone.Month: "2026-02-28T22:00",
	} {
		if got := utc(zone.Start(kyiv, at, p)); got != want {
			t.Errorf("period %d: %s; want %s", p, got, want)
		}
	}
}

func TestParseClock(t *testing.T) {
	for text, want := range map[string]int{"00:00": 0, "09:05": 545, "23:59": 1439, "24:00": 1440} {
		if got, ok := zone.ParseClock(text); !ok || got != want {
			t.Errorf("%s: %d, %v", text, got, ok)
		}
	}
	for _, bad := range []string{"", "9:00", "24:01", "12:60", "ab:cd", "12-00", "12:0x"} {
		if got, ok := zone.ParseClock(bad); ok {
			t.Errorf("%q was read as %d", bad, got)
		}
	}
}
