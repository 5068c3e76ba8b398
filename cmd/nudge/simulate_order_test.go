package main

import "testing"

// What one call leads to stands by campaign name, also what a step's change of the profile
// and a step's event led to; what the timers of that instant led to stands before it.
func TestSimulateOrder(t *testing.T) {
	const definitions = `apiVersion: nudge/v1
kind: Campaign
metadata: {name: a-made}
spec:
  trigger: {event: {name: Made}}
  steps: [{id: s, send: {channel: email}}]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: b-changed}
spec:
  trigger: {change: {path: customer.traits.n}}
  steps: [{id: s, send: {channel: email}}]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: c-first}
spec:
  trigger: {event: {name: Go}}
  steps:
    - {id: make, emit: {event: Made}}
    - {id: change, set: {traits: {n: {cel: 'customer.count("Go")'}}}}
    - {id: s, send: {channel: email}}
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: d-timer}
spec:
  trigger: {event: {name: Go}}
  reentry: {on_active: parallel}
  steps: [{id: rest, delay: 1h}, {id: s, send: {channels: [push, email]}}]
`
	const calls = `{"type":"track","userId":"c","event":"Go","timestamp":"2026-03-01T10:00:00Z"}
{"type":"track","userId":"b","event":"Go","timestamp":"2026-03-01T10:00:00Z"}
{"type":"track","userId":"c","event":"Go","timestamp":"2026-03-01T11:00:00Z"}
`
	for _, partitions := range []string{"1", "7"} {
		files := simulated(t, definitions, calls, "--partitions", partitions)
		sameLines(t, fields(t, files["deliveries.ndjson"], "at", "customer", "campaign", "entry", "channel"),
			"2026-03-01T10:00:00Z c a-made 1 email",
			"2026-03-01T10:00:00Z c b-changed 1 email",
			"2026-03-01T10:00:00Z c c-first 1 email",
			"2026-03-01T10:00:00Z b a-made 1 email",
			"2026-03-01T10:00:00Z b b-changed 1 email",
			"2026-03-01T10:00:00Z b c-first 1 email",
			"2026-03-01T11:00:00Z b d-timer 1 push",
			"2026-03-01T11:00:00Z b d-timer 1 email",
			"2026-03-01T11:00:00Z c d-timer 1 push",
			"2026-03-01T11:00:00Z c d-timer 1 email",
			"2026-03-01T11:00:00Z c a-made 2 email",
			"2026-03-01T11:00:00Z c b-changed 2 email",
			"2026-03-01T11:00:00Z c c-first 2 email",
			"2026-03-01T12:00:00Z c d-timer 2 push",
			"2026-03-01T12:00:00Z c d-timer 2 email",
		)
		sameLines(t, fields(t, files["chains.ndjson"], "entered_at", "customer", "campaign", "entry"),
			"2026-03-01T10:00:00Z c a-made 1",
			"2026-03-01T10:00:00Z c b-changed 1",
			"2026-03-01T10:00:00Z c c-first 1",
			"2026-03-01T10:00:00Z c d-timer 1",
			"2026-03-01T10:00:00Z b a-made 1",
			"2026-03-01T10:00:00Z b b-changed 1",
			"2026-03-01T10:00:00Z b c-first 1",
			"2026-03-01T10:00:00Z b d-timer 1",
			"2026-03-01T11:00:00Z c a-made 2",
			"2026-03-01T11:00:00Z c b-changed 2",
			"2026-03-01T11:00:00Z c c-first 2",
			"2026-03-01T11:00:00Z c d-timer 2",
		)
	}
}
