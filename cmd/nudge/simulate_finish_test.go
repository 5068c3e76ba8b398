package main

import "testing"

// After the last call the clock runs on while a chain waits, and other triggers fire
// meanwhile; where a chain waits for an event that cannot come, what repeats without end does
// not keep it running.
func TestSimulateFinish(t *testing.T) {
	const definitions = `apiVersion: nudge/v1
kind: Campaign
metadata: {name: birthday}
spec:
  trigger: {date: {path: customer.traits.born, repeat: yearly}}
  steps: [{id: s, send: {channel: email}}]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: daily}
spec:
  trigger: {schedule: {cron: "0 9 * * *"}}
  steps: [{id: s, send: {channel: email}}]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: endless}
spec:
  trigger: {event: {name: Go}}
  steps: [{id: w, wait: {for: [{event: Never}]}}, {id: s, send: {channel: email}}]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: idle}
spec:
  trigger: {inactivity: {event: Go, for: 36h}}
  steps: [{id: s, send: {channel: email}}, {id: rest, delay: 12h}]
`
	const calls = `{"type":"identify","userId":"c","traits":{"born":"--03-02"},"timestamp":"2026-03-01T10:00:00Z"}
{"type":"track","userId":"c","event":"Go","timestamp":"2026-03-01T10:00:00Z"}
`
	for _, partitions := range []string{"1", "5"} {
		files := simulated(t, definitions, calls, "--partitions", partitions)
		sameLines(t, fields(t, files["deliveries.ndjson"], "at", "campaign"),
			"2026-03-02T00:00:00Z birthday",
			"2026-03-02T09:00:00Z daily",
			"2026-03-02T22:00:00Z idle",
			"2026-03-03T09:00:00Z daily",
		)
		sameLines(t, fields(t, files["chains.ndjson"], "campaign", "ended_at", "outcome"),
			"endless null active",
			"birthday 2026-03-02T00:00:00Z completed",
			"daily 2026-03-02T09:00:00Z completed",
			"idle 2026-03-03T10:00:00Z completed",
			"daily 2026-03-03T09:00:00Z completed",
		)
	}
}
