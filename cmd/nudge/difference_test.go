package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A dearer threshold lets fewer carts in: the difference says how many, and both
// reports are there.
func TestSimulateAgainst(t *testing.T) {
	other, result := t.TempDir(), t.TempDir()
	if err := os.CopyFS(other, os.DirFS("../../examples/shop")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(other, "cart-abandoned.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dearer := strings.Replace(string(text), "value >= 20", "value >= 100000", 1)
	if err := os.WriteFile(file, []byte(dearer), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := runTool(t, "simulate", "--campaigns", "../../examples/shop", "--events",
		"../../examples/shop/events.ndjson", "--out", result, "--against", other)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	_, changes, _ := strings.Cut(out, "against the other definitions")
	found := 0
	for line := range strings.Lines(changes) {
		cells := strings.Fields(line)
		switch {
		case len(cells) > 3 && cells[0] == "cart-abandoned":
			found++
			if cells[2] != "->" || cells[3] != "0" {
				t.Errorf("entered did not go to 0: %s", line)
			}
		case len(cells) > 1 && cells[0] == "first-order":
			found++
			if strings.Contains(line, "->") {
				t.Errorf("a campaign that is the same differs: %s", line)
			}
		}
	}
	if found != 2 {
		t.Errorf("the campaigns are not both there:\n%s", out)
	}
	for _, name := range []string{"summary.json", "against/summary.json"} {
		if _, err := os.Stat(filepath.Join(result, name)); err != nil {
			t.Error(err)
		}
	}
}

// What caps, quiet hours, dedupe keys and other chains of the group keep back is the
// column capped.
func TestSimulateAgainstCapped(t *testing.T) {
	one, other, result := t.TempDir(), t.TempDir(), t.TempDir()
	const campaign = `apiVersion: nudge/v1
kind: Campaign
metadata: {name: hello}
spec:
  trigger: {event: {name: Go}}
  reentry: {on_active: parallel}
  policy: {caps: [few]}
  steps: [{id: hi, send: {channel: email, inline: {body: hi}}}]
---
apiVersion: nudge/v1
kind: Policy
metadata: {name: house}
spec: {caps: [{name: few, limit: LIMIT, window: 24h}]}
`
	for dir, limit := range map[string]string{one: "5", other: "1"} {
		text := strings.Replace(campaign, "LIMIT", limit, 1)
		if err := os.WriteFile(filepath.Join(dir, "c.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var calls strings.Builder
	for _, id := range []string{"a", "b", "c"} {
		calls.WriteString(`{"type":"track","event":"Go","userId":"ann","messageId":"` + id +
			`","timestamp":"2026-03-01T10:00:00Z"}` + "\n")
	}
	events := filepath.Join(one, "events.ndjson")
	if err := os.WriteFile(events, []byte(calls.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := runTool(t, "simulate", "--campaigns", one, "--events", events, "--out", result, "--against", other)
	_, changes, _ := strings.Cut(out, "against the other definitions")
	want := "hello 3 3 -> 1 (-2) 0 -> 2 (+2) 0"
	if code != 0 || !strings.Contains(strings.Join(strings.Fields(changes), " "), want) {
		t.Errorf("exit %d: %s\n%s\nwant %s", code, errs, changes, want)
	}
}
