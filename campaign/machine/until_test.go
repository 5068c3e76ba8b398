package machine

import (
	"testing"
	"time"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/campaign/zone"
)

// A calendar rule is a local time: over the changes of the clocks of 2026, where a time
// that is left out is the first instant after and one that comes twice the first.
func TestUntil(t *testing.T) {
	for _, c := range []struct{ zone, at, from, want string }{
		{"America/New_York", "02:30", "2026-03-08T05:00:00Z", "2026-03-08T07:00:00Z"}, // left out
		{"America/New_York", "02:30", "2026-03-08T07:00:00Z", "2026-03-08T07:00:00Z"},
		{"America/New_York", "02:30", "2026-03-08T07:00:00.001Z", "2026-03-09T06:30:00Z"},
		{"America/New_York", "01:30", "2026-11-01T04:00:00Z", "2026-11-01T05:30:00Z"}, // twice
		{"America/New_York", "01:30", "2026-11-01T05:31:00Z", "2026-11-02T06:30:00Z"},
		{"Europe/Kyiv", "03:30", "2026-03-28T22:00:00Z", "2026-03-29T01:00:00Z"},
		{"Europe/Kyiv", "03:30", "2026-10-24T21:00:00Z", "2026-10-25T00:30:00Z"},
		{"Asia/Colombo", "09:00", "2026-03-29T00:00:00Z", "2026-03-29T03:30:00Z"},
		{"Australia/Lord_Howe", "02:15", "2026-10-03T13:30:00Z", "2026-10-03T15:30:00Z"},
		{"Australia/Lord_Howe", "01:45", "2026-04-04T13:00:00Z", "2026-04-04T14:45:00Z"},
		{"Asia/Tokyo", "09:00", "2026-03-29T00:00:00Z", "2026-03-29T00:00:00Z"},
		{"Pacific/Apia", "09:00", "2026-03-29T00:00:00Z", "2026-03-29T20:00:00Z"},
	} {
		minute, _ := zone.ParseClock(c.at)
		m, who := New(), customer.New("w", "ann", 0, 1)
		who.Traits = []byte(`{"timezone":"` + c.zone + `"}`)
		m.begin(who, millis(t, c.from), new(output.Output))
		ch := &customer.Chain{Outcome: output.Active}
		rests := m.chains.until(new(program.Program), &program.Until{Minute: minute}, ch)
		got := ch.Due
		if !rests {
			got = m.now
		}
		if rests != (got > m.now) || unit.FormatTime(got) != c.want {
			t.Errorf("%+v: %s, rests %v", c, unit.FormatTime(got), rests)
		}
	}
	// Days are those of the zone: Monday 00:30 in Tokyo is a Sunday in UTC.
	m := New()
	m.begin(customer.New("w", "ann", 0, 1), millis(t, "2026-03-28T12:00:00Z"), new(output.Output))
	ch := &customer.Chain{Outcome: output.Active}
	m.chains.until(new(program.Program), &program.Until{Minute: 30, Zone: "Asia/Tokyo", Days: zone.Days(0).Add(time.Monday)}, ch)
	if got := unit.FormatTime(ch.Due); got != "2026-03-29T15:30:00Z" {
		t.Errorf("Monday 00:30 in Tokyo: %s", got)
	}
}

func millis(t *testing.T, text string) int64 {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return at.UnixMilli()
}
