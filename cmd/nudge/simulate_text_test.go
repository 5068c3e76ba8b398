package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A text that cannot be made for one customer fails their delivery, which takes the way
// that the campaign has for it, and nobody else's. Dates do not depend on the clock.
func TestSimulateFailedText(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	campaigns := write("c.yaml", `apiVersion: nudge/v1
kind: Campaign
metadata: {name: double}
spec:
  trigger: {event: {name: Go}}
  steps:
    - id: say
      send: {channel: c, inline: {body: "{{ trigger.properties.n | times: 2 }} {{ 'now' | date: '%F' }}"}, on_fail: {goto: plain}}
    - {id: rest, delay: 1h, goto: end}
    - {id: plain, send: {channel: c, inline: {body: "{{ trigger.properties.l.size }} of them"}}}
`)
	events := write("e.ndjson", strings.TrimSpace(`
{"type":"track","userId":"ann","event":"Go","messageId":"1","timestamp":"2026-03-01T10:00:00Z","properties":{"n":"many","l":[1,2,3]}}
{"type":"track","userId":"bob","event":"Go","messageId":"2","timestamp":"2026-03-01T10:00:01Z","properties":{"n":21}}
{"type":"track","userId":"cid","event":"Go","messageId":"3","timestamp":"2026-03-01T10:00:02Z","properties":{"n":"x"}}
`)+"\n")
	out := filepath.Join(dir, "out")
	if code, _, errs := runTool(t, "simulate", "--campaigns", campaigns, "--events", events, "--out", out); code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	text, err := os.ReadFile(filepath.Join(out, "deliveries.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(text)) {
		_, rest, _ := strings.Cut(line, `"customer":"`)
		customer, _, _ := strings.Cut(rest, `"`)
		_, status, _ := strings.Cut(line, `"status":`)
		status, _, _ = strings.Cut(status, `,"trigger_id"`)
		_, message, _ := strings.Cut(line, `"message":`)
		got = append(got, customer+" "+status+" "+strings.TrimSpace(strings.TrimSuffix(message, "}\n")))
	}
	want := []string{
		`ann "dropped","reason":"template_error" null`,
		`ann "handed_off","reason":null {"body":"3 of them"}`,
		`bob "handed_off","reason":null {"body":"42 2026-03-01"}`,
		`cid "dropped","reason":"template_error" null`,
		`cid "dropped","reason":"missing_variable" null`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("unexpected deliveries\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	summary, err := os.ReadFile(filepath.Join(out, "summary.json"))
	if err != nil || !strings.Contains(string(summary), `"plain": 1,`) || !strings.Contains(string(summary), `"say": 1`) {
		t.Errorf("unexpected summary %s, error %v", summary, err)
	}
}
