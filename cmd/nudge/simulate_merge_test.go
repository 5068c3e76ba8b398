package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A chain that was over before its customer became a known one, and has no goal to wait
// for, stays that of the anonymous customer, whose deliveries it made: also where the merge
// is the first record after its end. One that is still measured goes on.
func TestSimulateMergeAfterTheEnd(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"c.yaml": `apiVersion: nudge/v1
kind: Campaign
metadata: {name: measured}
spec:
  trigger: {event: {name: Go}}
  goals: [{id: g, event: Order, window: 1d}]
  steps: [{id: m, send: {channel: c, inline: {body: hello}}}]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: over}
spec:
  trigger: {event: {name: Go}}
  steps: [{id: m, send: {channel: c, inline: {body: hello}}}]
`,
		"e.ndjson": `{"type":"track","anonymousId":"a","event":"Go","messageId":"1","timestamp":"2026-03-01T10:00:00Z"}
{"type":"identify","anonymousId":"a","userId":"ann","messageId":"2","timestamp":"2026-03-01T11:00:00Z"}
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(dir, "out")
	code, _, errs := runTool(t, "simulate", "--campaigns", filepath.Join(dir, "c.yaml"), "--events",
		filepath.Join(dir, "e.ndjson"), "--out", out)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	text, err := os.ReadFile(filepath.Join(out, "chains.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	if rows := string(text); strings.Count(rows, "\n") != 2 ||
		!strings.Contains(rows, `{"campaign":"measured","customer":"ann",`) ||
		!strings.Contains(rows, `{"campaign":"over","customer":"anon:a",`) {
		t.Errorf("unexpected chains %s", rows)
	}
}
