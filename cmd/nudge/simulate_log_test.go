package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const fromLogCampaign = `apiVersion: nudge/v1
kind: Campaign
metadata: {name: each}
spec:
  trigger: {event: {name: E}}
  reentry: {on_active: %s}
  steps: [{id: say, send: {channel: console}}, {id: rest, delay: 1h}]
`

// The calls of a log give what the same calls give from a file, and --against says what
// other definitions would have done with them.
func TestSimulateFromLog(t *testing.T) {
	// shows: 108, 174
	dir := t.TempDir()
	d := openDataDir(t, dir)
	d.send(t, 1, 41)  // an id of "0" names nothing
	d.send(t, 36, 41) // duplicates
	d.stop()
	d.close(t)
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var calls strings.Builder
	for n := 1; n <= 40; n++ {
		fmt.Fprintf(&calls, `{"type":"track","userId":"c%d","messageId":"%d","event":"E","timestamp":"2026-03-01T10:00:00Z"}`+"\n",
			n%7, n)
	}
	these := write("c.yaml", fmt.Sprintf(fromLogCampaign, "ignore"))
	others := write("c.yaml", fmt.Sprintf(fromLogCampaign, "parallel"))
	fromFile, fromLog := t.TempDir(), t.TempDir()
	if code, _, errs := runTool(t, "simulate", "--campaigns", these, "--events", write("e.ndjson", calls.String()),
		"--out", fromFile); code != 0 {
		t.Fatal(errs)
	}
	code, out, errs := runTool(t, "simulate", "--campaigns", these, "--from-log", "--data", dir, "--against", others,
		"--out", fromLog)
	if code != 0 {
		t.Fatal(errs)
	}
	for _, want := range []string{"the log is there from its beginning", "7 -> 40 (+33)"} {
		if !strings.Contains(out, want) {
			t.Errorf("told\n%s\nwant %q in it", out, want)
		}
	}
	for _, name := range []string{"deliveries.ndjson", "chains.ndjson", "decisions.ndjson", "summary.json"} {
		a, errA := os.ReadFile(filepath.Join(fromFile, name))
		b, errB := os.ReadFile(filepath.Join(fromLog, name))
		if errors.Join(errA, errB) != nil || len(a) == 0 || string(a) != string(b) {
			t.Errorf("%s differs: %v %v\n%s\nfrom the file\n%s", name, errA, errB, b, a)
		}
	}
	// The directory is as it was: the log can be verified.
	if code, out, errs := runTool(t, "verify", "--data", dir); code != 0 {
		t.Errorf("verify: %s%s", out, errs)
	}
}

// A log that was trimmed says from when on it knows.
func TestSimulateFromTrimmedLog(t *testing.T) {
	dir := t.TempDir()
	d := openDataDir(t, dir)
	d.send(t, 0, 20)
	info, err := d.events.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := d.events.Trim(t.Context(), info.Last-5); err != nil {
		t.Fatal(err)
	}
	d.stop()
	d.close(t)
	path := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(path, fmt.Appendf(nil, fromLogCampaign, "parallel"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := runTool(t, "simulate", "--campaigns", path, "--from-log", "--data", dir, "--out", t.TempDir())
	if code != 0 {
		t.Fatal(errs)
	}
	for _, want := range []string{
		"5 frames; the log reaches back to 2026-03-01T10:00:00Z (partition 0 from 2026-03-01T10:00:00Z)", "each      5 ",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("told\n%s\nwant %q in it", out, want)
		}
	}
}

func TestSimulateFlags(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "--events FILE or --from-log"},
		{[]string{"--events", "f", "--from-log"}, "--events FILE or --from-log"},
		{[]string{"--events", "f", "--data", "d"}, "go with --from-log"},
		{[]string{"--from-log", "--sort"}, "a log is in order"},
		{[]string{"--from-log", "--since", "now"}, `--since "now" is no time`},
		{[]string{"--from-log", "--data", filepath.Join(t.TempDir(), "missing")}, "no such file"},
	} {
		args := append([]string{"simulate", "--campaigns", "d", "--out", "o"}, c.args...)
		if code, _, errs := runTool(t, args...); code != 1 || !strings.Contains(errs, c.want) {
			t.Errorf("%v: exit %d: %s; want %q", c.args, code, errs, c.want)
		}
	}
}
