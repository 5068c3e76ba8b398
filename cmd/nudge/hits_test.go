package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const hitCampaigns = `apiVersion: nudge/v1
kind: Campaign
metadata: {name: big-order}
spec:
  trigger: {event: {name: Order, where: event.properties.total >= 10}}
  audience: customer.traits.level == "gold"
  steps: [{id: rest, delay: 30d}]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: quiet}
spec:
  trigger: {inactivity: {event: Order, for: 3d}}
  steps: [{id: say, send: {channel: console}}]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: never}
spec:
  trigger: {event: {name: Nothing}}
  steps: [{id: say, send: {channel: console}}]
`

// How many customers hit each trigger in the last days, how often, and what the hits
// carried: those whom the audience refuses too; not before the days, not after the last
// call, and from the whole history.
func TestSimulateHits(t *testing.T) {
	// shows: 108
	dir := t.TempDir()
	var calls strings.Builder
	call := func(day int, user, rest string) {
		fmt.Fprintf(&calls, `{"userId":%q,"timestamp":"2026-03-%02dT10:00:00Z",%s}`+"\n", user, day, rest)
	}
	order := func(day int, user, total string) {
		call(day, user, `"type":"track","event":"Order","properties":{"total":`+total+`}`)
	}
	call(1, "ann", `"type":"identify","traits":{"level":"gold"}`)
	order(1, "ann", "100")   // ten days before the last call and no longer a hit of the last ten; quiet on the 4th
	order(2, "ben", "20.5")  // refused by the audience; quiet on the 5th
	order(3, "cat", "9")     // no hit; quiet on the 6th
	order(9, "ann", "12.25") // a chain is live: refused, and a hit; quiet on the 12th, after the last call
	order(9, "ben", "30")
	order(11, "cat", `"40"`) // a text is no number
	events, definitions := filepath.Join(dir, "e.ndjson"), filepath.Join(dir, "c.yaml")
	if os.WriteFile(events, []byte(calls.String()), 0o600) != nil ||
		os.WriteFile(definitions, []byte(hitCampaigns), 0o600) != nil {
		t.Fatal("the files cannot be written")
	}
	for days, want := range map[string][]string{
		"10": {"big-order  2          3     0        62.75", "never      0          0     0        0", "quiet      3          3     3        0"},
		"6":  {"big-order  2          2     0        42.25", "quiet      1          1     1        0"},
		"20": {"big-order  2          4     1        162.75", "quiet      3          3     3        0"},
	} {
		code, out, errs := runTool(t, "simulate", "--campaigns", definitions, "--events", events, "--out", dir,
			"--hits", days, "--hit-value", "total")
		if code != 0 {
			t.Fatal(errs)
		}
		for _, line := range append(want, "hits of the last "+days+" days, to 2026-03-11T10:00:00Z:") {
			if !strings.Contains(out, line) {
				t.Errorf("%s days: told\n%s\nwant %q in it", days, out, line)
			}
		}
	}
	if code, _, errs := runTool(t, "simulate", "--campaigns", definitions, "--events", events, "--out", dir,
		"--hits", "10"); code != 0 {
		t.Fatal(errs)
	}
	text, err := os.ReadFile(filepath.Join(dir, "hits.json"))
	if err != nil {
		t.Fatal(err)
	}
	const want = `{
  "from": "2026-03-01T10:00:00Z",
  "to": "2026-03-11T10:00:00Z",
  "property": null,
  "campaigns": [
    {
      "campaign": "big-order",
      "customers": 2,
      "hits": 3,
      "entered": 0,
      "value": null
    },`
	if !strings.HasPrefix(string(text), want) {
		t.Errorf("hits.json is\n%s\nwant it to begin with\n%s", text, want)
	}
}

func TestHitFlags(t *testing.T) {
	for want, args := range map[string][]string{
		"--hits -1: must be":    {"--hits=-1"},
		"--hits 4000: must be":  {"--hits", "4000"},
		"--hit-value goes with": {"--hit-value", "total"},
	} {
		code, _, errs := runTool(t, append([]string{
			"simulate", "--campaigns", "d", "--out", "o", "--events", "f",
		}, args...)...)
		if code != 1 || !strings.Contains(errs, want) {
			t.Errorf("%v: exit %d: %s; want %q", args, code, errs, want)
		}
	}
}
