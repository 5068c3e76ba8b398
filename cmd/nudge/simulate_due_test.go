package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// fields are the named members of each line of a file, null for null.
func fields(t *testing.T, text string, names ...string) []string {
	t.Helper()
	var all []string
	for line := range strings.Lines(text) {
		var row map[string]json.RawMessage
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		var values []string
		for _, name := range names {
			value, there := row[name]
			if !there {
				t.Fatalf("no %q in %s", name, line)
			}
			values = append(values, strings.Trim(string(value), `"`))
		}
		all = append(all, strings.Join(values, " "))
	}
	return all
}

func sameLines(t *testing.T, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("unexpected\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A held delivery keeps the instant for which it was planned; what follows it was due when
// the hold ended, so the chain that waits longer has the next place under a cap.
func TestSimulateDueAfterHold(t *testing.T) {
	const definitions = `apiVersion: nudge/v1
kind: Policy
metadata: {name: house}
spec: {caps: [{name: daily, limit: 1, per: day}]}
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: q}
spec:
  trigger: {event: {name: Go}}
  reentry: {on_active: parallel}
  policy: {caps: [daily], quiet_hours: {from: "21:00", to: "09:00"}}
  steps:
    - {id: one, send: {channel: email, on_cap: defer}}
    - {id: two, send: {channel: email, on_cap: defer}}
`
	const calls = `{"type":"track","userId":"c","event":"Go","timestamp":"2026-03-01T22:00:00Z"}
{"type":"track","userId":"c","event":"Go","timestamp":"2026-03-01T23:00:00Z"}
`
	files := simulated(t, definitions, calls)
	sameLines(t, fields(t, files["deliveries.ndjson"], "at", "due", "entry", "step", "status", "reason"),
		"2026-03-01T22:00:00Z 2026-03-01T22:00:00Z 1 one deferred quiet_hours",
		"2026-03-01T23:00:00Z 2026-03-01T23:00:00Z 2 one deferred quiet_hours",
		"2026-03-02T09:00:00Z 2026-03-01T22:00:00Z 1 one handed_off null",
		"2026-03-02T09:00:00Z 2026-03-02T09:00:00Z 1 two deferred cap",
		"2026-03-03T09:00:00Z 2026-03-01T23:00:00Z 2 one handed_off null",
		"2026-03-03T09:00:00Z 2026-03-03T09:00:00Z 2 two deferred cap",
		"2026-03-04T09:00:00Z 2026-03-02T09:00:00Z 1 two handed_off null",
		"2026-03-05T09:00:00Z 2026-03-03T09:00:00Z 2 two handed_off null",
	)
}
