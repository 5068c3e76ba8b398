package machine

import (
	"fmt"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/unit"
)

// Quiet hours by the local clock, over both changes of the clocks in six zones: what is
// to be sent at ten in the evening leaves when they end. A time of day that does not
// exist is the first instant after; one that comes twice is the first.
func TestQuietHoursOverClockChanges(t *testing.T) {
	const text = `apiVersion: nudge/v1
kind: Campaign
metadata: {name: a}
spec:
  trigger: {event: {name: E}}
  policy: {quiet_hours: {from: "21:00", to: "%s"}}
  steps:
    - {id: s, send: {channel: email}}
`
	for _, c := range []struct{ zone, at, to, leaves string }{
		// New York: 8 March 02:00 becomes 03:00; 1 November 02:00 becomes 01:00.
		{"America/New_York", "2026-03-08T03:00:00Z", "09:00", "2026-03-08T13:00:00Z"},
		{"America/New_York", "2026-03-08T03:00:00Z", "02:30", "2026-03-08T07:00:00Z"},
		{"America/New_York", "2026-11-01T02:00:00Z", "09:00", "2026-11-01T14:00:00Z"},
		{"America/New_York", "2026-11-01T02:00:00Z", "01:30", "2026-11-01T05:30:00Z"},
		// Kyiv: 29 March 03:00 becomes 04:00; 25 October 04:00 becomes 03:00.
		{"Europe/Kyiv", "2026-03-28T20:00:00Z", "09:00", "2026-03-29T06:00:00Z"},
		{"Europe/Kyiv", "2026-03-28T20:00:00Z", "03:30", "2026-03-29T01:00:00Z"},
		{"Europe/Kyiv", "2026-10-24T19:00:00Z", "09:00", "2026-10-25T07:00:00Z"},
		{"Europe/Kyiv", "2026-10-24T19:00:00Z", "03:30", "2026-10-25T00:30:00Z"},
		// Lord Howe: 4 October 02:00 becomes 02:30; 5 April 02:00 becomes 01:30.
		{"Australia/Lord_Howe", "2026-10-03T11:30:00Z", "09:00", "2026-10-03T22:00:00Z"},
		{"Australia/Lord_Howe", "2026-10-03T11:30:00Z", "02:15", "2026-10-03T15:30:00Z"},
		{"Australia/Lord_Howe", "2026-04-04T11:00:00Z", "09:00", "2026-04-04T22:30:00Z"},
		{"Australia/Lord_Howe", "2026-04-04T11:00:00Z", "01:45", "2026-04-04T14:45:00Z"},
		// No change of the clocks.
		{"Asia/Colombo", "2026-03-28T16:30:00Z", "09:00", "2026-03-29T03:30:00Z"},
		{"Asia/Tokyo", "2026-03-28T13:00:00Z", "09:00", "2026-03-29T00:00:00Z"},
		// Samoa left out 30 December 2011: the night before it ends on the 31st.
		{"Pacific/Apia", "2011-12-30T08:00:00Z", "09:00", "2011-12-30T19:00:00Z"},
		{"Pacific/Apia", "2026-03-28T09:00:00Z", "09:00", "2026-03-28T20:00:00Z"},
	} {
		s := newStage(t, fmt.Sprintf(text, c.to))
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		s.now = at.UnixMilli()
		s.event("$identify", `{"timezone":"`+c.zone+`"}`)
		s.event("E", "{}")
		s.advance(s.now + 2*unit.DayMillis)
		switch {
		case len(s.sent) != 1 || len(s.refused) != 1:
			t.Errorf("%+v: %d sent, %d refused", c, len(s.sent), len(s.refused))
		case unit.FormatTime(s.sent[0].At) != c.leaves || unit.FormatTime(s.sent[0].Due) != c.at:
			t.Errorf("%+v: left at %s, due %s", c, unit.FormatTime(s.sent[0].At), unit.FormatTime(s.sent[0].Due))
		case s.refused[0].Status != output.StatusDefer || s.refused[0].Reason != output.ReasonQuiet:
			t.Errorf("%+v: %s %s", c, s.refused[0].Status, s.refused[0].Reason)
		}
	}
}

// Both ends of quiet hours, and the workspace's for campaigns without their own.
func TestQuietHoursEnds(t *testing.T) {
	const text = `apiVersion: nudge/v1
kind: Policy
metadata: {name: p}
spec: {quiet_hours: {from: "12:00", to: "14:00", zone: Asia/Tokyo, on_quiet: drop}}
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: a}
spec:
  trigger: {event: {name: E}}
  steps:
    - {id: s, send: {channel: email}}
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: own}
spec:
  trigger: {event: {name: E}}
  zone: Asia/Tokyo
  policy: {quiet_hours: {from: "20:00", to: "24:00", on_quiet: drop}}
  steps:
    - {id: s, send: {channel: email}}
`
	for _, c := range []struct {
		at      string // UTC
		a, ours bool
	}{
		{"02:59:59.999", true, true},
		{"03:00:00", false, true},
		{"04:59:59.999", false, true},
		{"05:00:00", true, true},
		{"10:59:59.999", true, true},
		{"11:00:00", true, false},
		{"14:59:59.999", true, false},
		{"15:00:00", true, true},
	} {
		s := newStage(t, text)
		at, err := time.Parse(time.RFC3339Nano, "2026-05-01T"+c.at+"Z")
		if err != nil {
			t.Fatal(err)
		}
		s.now = at.UnixMilli()
		s.event("E", "{}")
		sent := map[string]bool{}
		for _, d := range s.sent {
			sent[d.Campaign] = true
		}
		if sent["a"] != c.a || sent["own"] != c.ours {
			t.Errorf("%s: sent %v; want a %v, own %v", c.at, sent, c.a, c.ours)
		}
	}
}
