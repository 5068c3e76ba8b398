package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/campaign/program"
)

const policies = `apiVersion: nudge/v1
kind: Policy
metadata: {name: house}
spec:
  zone: Europe/Kyiv
  caps: [{name: daily, limit: 1, window: 24h}]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: a}
spec:
  trigger: {event: {name: E}}
  policy: {priority: 1, caps: [daily], quiet_hours: {from: "21:00", to: "09:00"}}
  steps: [{id: s, send: {channel: email, on_cap: defer}}]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: b}
spec:
  trigger: {event: {name: E}}
  policy: {priority: 2, caps: [daily], holdout: {percent: 50}}
  steps: [{id: s, send: {channel: email, inline: {body: hello}}}]
`

// A simulation shows policies in its files: what was deferred, dropped, a ghost, and
// which chains are held out; and the partitions do not show.
func TestSimulatePolicies(t *testing.T) {
	// shows: 198
	dir := t.TempDir()
	definitions, events := filepath.Join(dir, "p.yaml"), filepath.Join(dir, "events.ndjson")
	var held, free string // customers in either half
	for i := 0; held == "" || free == ""; i++ {
		if id := fmt.Sprintf("u%d", i); program.Bucket("b", id) < 5000 {
			held = id
		} else {
			free = id
		}
	}
	const call = `{"type":"track","userId":%q,"event":"E","timestamp":"2026-03-01T20:00:00Z"}` + "\n"
	calls := fmt.Sprintf(call+call, held, free)
	if os.WriteFile(definitions, []byte(policies), 0o600) != nil || os.WriteFile(events, []byte(calls), 0o600) != nil {
		t.Fatal("the files cannot be written")
	}
	run := func(partitions string) (deliveries, chains string) {
		out := filepath.Join(dir, partitions)
		if code, _, errs := runTool(t, "simulate", "--campaigns", definitions, "--events", events, "--out", out,
			"--partitions", partitions); code != 0 {
			t.Fatalf("exit %d: %s", code, errs)
		}
		d, err := os.ReadFile(filepath.Join(out, "deliveries.ndjson"))
		if err != nil {
			t.Fatal(err)
		}
		c, err := os.ReadFile(filepath.Join(out, "chains.ndjson"))
		if err != nil {
			t.Fatal(err)
		}
		return string(d), string(c)
	}
	deliveries, chains := run("1")
	if d, c := run("7"); d != deliveries || c != chains {
		t.Error("the partitions show")
	}
	// a waits for the morning in Kyiv, 07:00 UTC. The customer of b who is not held out
	// has had their message of the day by then: a waits for the cap, through the next
	// night, with one line for all of it.
	var got []string
	for line := range strings.Lines(deliveries) {
		at := strings.Split(line, `"`)[3]
		field := func(name string) string {
			_, after, _ := strings.Cut(line, `"`+name+`":`)
			return strings.Trim(strings.FieldsFunc(after, func(r rune) bool { return r == ',' || r == '}' })[0], `"`)
		}
		got = append(got, strings.Join([]string{at, field("customer"), field("campaign"), field("status"), field("reason")}, " "))
	}
	want := []string{
		"2026-03-01T20:00:00Z " + held + " a deferred quiet_hours",
		"2026-03-01T20:00:00Z " + held + " b ghost null",
		"2026-03-01T20:00:00Z " + free + " a deferred quiet_hours",
		"2026-03-01T20:00:00Z " + free + " b handed_off null",
		"2026-03-02T07:00:00Z " + held + " a handed_off null",
		"2026-03-03T07:00:00Z " + free + " a handed_off null",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("unexpected deliveries\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if n := strings.Count(chains, `"held_out":true`); n != 1 || strings.Count(chains, "\n") != 4 {
		t.Errorf("%d chains are held out; want 1 of 4\n%s", n, chains)
	}
}
