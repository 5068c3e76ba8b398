package machine

import (
	"testing"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/unit"
)

// A held-out chain walks the same steps, with ghosts that take nothing: neither a place
// under a cap nor a key, and nobody is to send them.
func TestGhosts(t *testing.T) {
	// shows: 198
	const text = `apiVersion: nudge/v1
kind: Policy
metadata: {name: p}
spec: {caps: [{name: one, limit: 1, window: 24h}]}
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: held}
spec:
  trigger: {event: {name: E}}
  goals: [{id: g, event: B, window: 3d}]
  policy: {holdout: {percent: 100}, priority: 9, caps: [one], dedupe: {key: trigger.properties.id, window: 1d}}
  steps:
    - {id: s1, send: {channel: email}}
    - {id: s2, send: {channel: email}}
    - {id: d, delay: 1h}
    - {id: s3, send: {channel: email}}
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: real}
spec:
  trigger: {event: {name: E}}
  policy: {caps: [one], dedupe: {key: trigger.properties.id, window: 1d}}
  steps:
    - {id: s, send: {channel: email}}
`
	s := newStage(t, text)
	s.now = 1_772_359_200_000
	s.event("E", `{"id":"1"}`)
	// The ghosts came first and took nothing, so the real one goes; then the cap is full,
	// for the ghost as for everybody.
	if len(s.ghosts) != 2 || len(s.sent) != 1 || s.sent[0].Campaign != "real" || len(s.c.Pending) != 1 {
		t.Fatalf("%d ghosts, %d sent, %d pending; want 2, 1, 1", len(s.ghosts), len(s.sent), len(s.c.Pending))
	}
	s.advance(s.now + unit.HourMillis)
	if len(s.ghosts) != 2 || len(s.refused) != 1 || s.refused[0].Reason != output.ReasonCap {
		t.Fatalf("%d ghosts, refused %+v; want the third refused by the cap", len(s.ghosts), s.refused)
	}
	s.out.Reset()
	s.m.Apply(s.c, &event.Event{Workspace: "w", Customer: "ann", ID: "b", Type: event.Track, Name: "B", Time: s.now}, s.now, false, &s.out)
	if len(s.out.Goals) != 1 || s.out.Goals[0].Step != "s2" || len(s.out.Chains) != 1 || !s.out.Chains[0].HeldOut {
		t.Errorf("goals %+v, chains %+v; want the goal of the held-out chain after s2", s.out.Goals, s.out.Chains)
	}
}
