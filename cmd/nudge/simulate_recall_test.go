package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What the same record made and took back was not sent: the chain stops by the event that
// its own step emits before any channel could have taken the message.
func TestSimulateRecall(t *testing.T) {
	dir := t.TempDir()
	files := map[string]string{
		"c.yaml": `apiVersion: nudge/v1
kind: Campaign
metadata: {name: short}
spec:
  trigger: {event: {name: Go}}
  stop: [{event: Enough}]
  steps:
    - {id: say, emit: {event: Enough}}
    - {id: m, send: {channel: c, inline: {body: hello}}}
    - {id: rest, delay: 1h}
    - {id: n, send: {channel: c, inline: {body: again}}}
`,
		"e.ndjson": `{"type":"track","userId":"ann","event":"Go","messageId":"1","timestamp":"2026-03-01T10:00:00Z"}` + "\n",
	}
	for name, text := range files {
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
	read := func(name string) string {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if text := read("deliveries.ndjson"); strings.Count(text, "\n") != 1 ||
		!strings.Contains(text, `"status":"dropped","reason":"chain_stopped"`) || !strings.Contains(text, `"message":null`) {
		t.Errorf("unexpected deliveries %s", text)
	}
	if text := read("summary.json"); !strings.Contains(text, `"sent": {}`) {
		t.Errorf("unexpected summary %s", text)
	}
	if text := read("chains.ndjson"); !strings.Contains(text, `"outcome":"stopped"`) {
		t.Errorf("unexpected chains %s", text)
	}
}
