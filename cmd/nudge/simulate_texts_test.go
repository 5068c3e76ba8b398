package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// simulated plays definitions over calls and returns the files that it wrote, by name.
func simulated(t *testing.T, definitions, calls string, args ...string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	from, events, out := filepath.Join(dir, "d.yaml"), filepath.Join(dir, "e.ndjson"), filepath.Join(dir, "out")
	if os.WriteFile(from, []byte(definitions), 0o600) != nil || os.WriteFile(events, []byte(calls), 0o600) != nil {
		t.Fatal("the files cannot be written")
	}
	code, _, errs := runTool(t, append([]string{"simulate", "--campaigns", from, "--events", events, "--out", out}, args...)...)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	files := map[string]string{}
	for _, name := range []string{"deliveries.ndjson", "chains.ndjson", "decisions.ndjson", "summary.json"} {
		text, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(text)
	}
	return files
}

// Texts are in the files as they are: not escaped for HTML, numbers as people write them.
func TestSimulateTexts(t *testing.T) {
	const definitions = `apiVersion: nudge/v1
kind: Campaign
metadata: {name: order}
spec:
  trigger: {event: {name: Order}}
  reentry: {key: event.properties.id}
  steps: [{id: s, send: {channel: email, inline: {body: "<b>{{ trigger.properties.total }}</b> & {{ trigger.properties.no }}"}}}]
`
	const calls = `{"type":"track","userId":"a&b","event":"Order","timestamp":"2026-03-01T10:00:00.250Z","messageId":"m<1>",` +
		`"properties":{"id":"A&B","total":1234567.5,"no":20000000}}` + "\n"
	files := simulated(t, definitions, calls)
	const delivery = `{"at":"2026-03-01T10:00:00.250Z","due":"2026-03-01T10:00:00.250Z","campaign":"order","version":1,` +
		`"customer":"a&b","key":"A&B","entry":1,"step":"s","channel":"email","variant":null,"status":"handed_off",` +
		`"reason":null,"trigger_id":"m<1>","delivery_id":"`
	got := files["deliveries.ndjson"]
	if !strings.HasPrefix(got, delivery) || !strings.HasSuffix(got, `,"message":{"body":"<b>1234567.5</b> & 20000000"}}`+"\n") {
		t.Errorf("unexpected delivery\n%s", got)
	}
	const chain = `{"campaign":"order","customer":"a&b","key":"A&B","entry":1,"entered_at":"2026-03-01T10:00:00.250Z",` +
		`"ended_at":"2026-03-01T10:00:00.250Z","outcome":"completed","goal":null,"value":null,"variants":null,` +
		`"held_out":false}` + "\n"
	if files["chains.ndjson"] != chain {
		t.Errorf("unexpected chain\n%swant\n%s", files["chains.ndjson"], chain)
	}
}
