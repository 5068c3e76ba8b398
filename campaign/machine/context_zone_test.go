package machine

import (
	"testing"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/unit"
)

const zonedCampaigns = `
apiVersion: nudge/v1
kind: Campaign
metadata: {name: morning}
spec:
  trigger: {event: {name: Go}}
  steps: [{id: u, until: {at: "09:00", zone: customer}}, {id: s, send: {channel: a}}]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: birthday}
spec:
  trigger: {date: {path: customer.traits.birthday, repeat: yearly}}
  steps: [{id: s, send: {channel: a}}]
`

// The zone of the device holds where the trait is missing: for what waits already too, by
// event time, and not for events of the past.
func TestZoneOfDevice(t *testing.T) {
	const at = 1_772_359_200_000 // 2026-03-01T10:00:00Z
	m := testMachine(t, zonedCampaigns)
	c := customer.New("default", "ann", at, 1)
	apply := func(e event.Event) {
		t.Helper()
		if e.ID = "m"; e.Time == 0 {
			e.Time = at
		}
		m.Apply(c, &e, at, false, new(output.Output))
	}
	due := func() string { return unit.FormatTime(c.Chains[0].Due) }
	apply(event.Event{Type: event.Identify, Name: event.IdentifyName, Traits: []byte(`{"birthday":"1990-03-05T00:00:00Z"}`)})
	apply(event.Event{Type: event.Track, Name: "Go"})
	if due() != "2026-03-02T09:00:00Z" {
		t.Errorf("nothing is known: due at %s", due())
	}
	apply(event.Event{Type: event.Track, Name: "X", Context: []byte(`{"timezone":"America/New_York"}`)})
	if due() != "2026-03-01T14:00:00Z" || unit.FormatTime(c.Dates[0].Due) != "2026-03-05T05:00:00Z" {
		t.Errorf("the device is in New York: due at %s, birthday at %s", due(), unit.FormatTime(c.Dates[0].Due))
	}
	apply(event.Event{Type: event.Track, Name: "X", Time: at - 1, Context: []byte(`{"timezone":"Asia/Tokyo"}`)})
	apply(event.Event{Type: event.Track, Name: "X", Historical: true, Context: []byte(`{"timezone":"Asia/Tokyo"}`)})
	if due() != "2026-03-01T14:00:00Z" {
		t.Errorf("the device was in Tokyo before: due at %s", due())
	}
	var out output.Output
	for range 2 {
		bad := event.Event{ID: "m", Type: event.Track, Name: "X", Time: at, Context: []byte(`{"timezone":"Mars/Base"}`)}
		m.Apply(c, &bad, at, false, &out)
	}
	if len(out.Decisions) != 1 || out.Decisions[0].Reason != output.ReasonZone || out.Decisions[0].Detail != "Mars/Base" {
		t.Errorf("unexpected decisions %+v; want one of a zone that is none", out.Decisions)
	}
	apply(event.Event{Type: event.Identify, Name: event.IdentifyName, Traits: []byte(`{"timezone":"gmt+2"}`)})
	if due() != "2026-03-02T07:00:00Z" {
		t.Errorf("the trait goes first: due at %s", due())
	}
}
