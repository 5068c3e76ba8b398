package schedule

import (
	"testing"
	"time"

	"github.com/nudge-engine/nudge/campaign/zone"
)

func TestCron(t *testing.T) {
	// shows: 30
	for _, c := range []struct{ rule, zone, from, want string }{
		{"0 9 * * *", "UTC", "2026-03-01T09:00", "2026-03-02T09:00"}, // after, not at
		{"0 9 * * *", "UTC", "2026-03-01T08:59", "2026-03-01T09:00"},
		{"*/20 * * * *", "UTC", "2026-03-01T08:41", "2026-03-01T09:00"},
		{"5/20 8-9 * * *", "UTC", "2026-03-01T09:45", "2026-03-02T08:05"},
		{"0 0 1,15 * *", "UTC", "2026-03-01T00:00", "2026-03-15T00:00"},
		{"0 0 31 * *", "UTC", "2026-03-31T00:00", "2026-05-31T00:00"},
		{"0 0 29 feb *", "UTC", "2026-03-31T00:00", "2028-02-29T00:00"},
		{"0 0 * * 7", "UTC", "2026-03-02T00:00", "2026-03-08T00:00"},
		{"0 0 * * mon-fri", "UTC", "2026-03-06T00:00", "2026-03-09T00:00"},
		{"0 0 13 * fri", "UTC", "2026-03-07T00:00", "2026-03-13T00:00"}, // either day
		{"0 0 20 * fri", "UTC", "2026-03-13T00:00", "2026-03-20T00:00"},
		{"0 0 10 * fri", "UTC", "2026-03-07T00:00", "2026-03-10T00:00"},
		{"30 3 * * *", "Europe/Kyiv", "2026-03-28T12:00", "2026-03-29T01:00"}, // left out: the first instant after
		{"30 3 * * *", "Europe/Kyiv", "2026-10-24T12:00", "2026-10-25T00:30"}, // twice: the first
		{"30 3 * * *", "Europe/Kyiv", "2026-10-25T00:30", "2026-10-26T01:30"},
		{"0 9 * * mon", "Asia/Tokyo", "2026-03-01T12:00", "2026-03-02T00:00"},
	} {
		rule, err := ParseCron(c.rule)
		if err != nil {
			t.Errorf("%s: %v", c.rule, err)
			continue
		}
		loc, err := zone.Load(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		next, ok := rule.Next(loc, utcMinute(t, c.from))
		if got := time.UnixMilli(next).UTC().Format("2006-01-02T15:04"); !ok || got != c.want {
			t.Errorf("%s in %s after %s: %s; want %s", c.rule, c.zone, c.from, got, c.want)
		}
	}
	for _, bad := range []string{
		"", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "*/0 * * * *", "5-2 * * * *",
		"a * * * *", "0 0 30 2 *", "1,,2 * * * *", "-1 * * * *",
	} {
		if _, err := ParseCron(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func utcMinute(t *testing.T, text string) int64 {
	t.Helper()
	when, err := time.Parse("2006-01-02T15:04", text)
	if err != nil {
		t.Fatal(err)
	}
	return when.UnixMilli()
}
