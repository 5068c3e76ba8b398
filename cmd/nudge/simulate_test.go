package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func runTool(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(args, console{out: &o, err: &e})
	return code, o.String(), e.String()
}

// The result of a simulation does not depend on the number of partitions.
func TestPartitionsDoNotShow(t *testing.T) {
	read := func(partitions string) map[string]string {
		t.Helper()
		dir := t.TempDir()
		code, _, errs := runTool(t, "simulate", "--campaigns", "../../examples/shop", "--events",
			"../../examples/shop/events.ndjson", "--out", dir, "--partitions", partitions, "--sort")
		if code != 0 {
			t.Fatalf("exit %d: %s", code, errs)
		}
		files := map[string]string{}
		for _, name := range []string{"deliveries.ndjson", "chains.ndjson", "decisions.ndjson", "summary.json"} {
			text, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil || len(text) == 0 {
				t.Fatalf("%s: %v, %d bytes", name, err, len(text))
			}
			files[name] = string(text)
		}
		return files
	}
	one := read("1")
	for _, n := range []string{"4", "16"} {
		for name, text := range read(n) {
			if text != one[name] {
				t.Errorf("%s differs with %s partitions\n%s\nwith one\n%s", name, n, text, one[name])
			}
		}
	}
	if !strings.Contains(one["deliveries.ndjson"], `"message":{"body":"Ann, your cart of 39.5 waits."}`) {
		t.Errorf("the message is not rendered:\n%s", one["deliveries.ndjson"])
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := "../../examples/shop"
	f := func(want string, args ...string) {
		t.Helper()
		code, out, errs := runTool(t, args...)
		if code == 0 || !strings.Contains(out+errs, want) {
			t.Errorf("%v: exit %d, %q; want a failure with %q", args, code, out+errs, want)
		}
	}
	simulate := func(events string, more ...string) []string {
		return append([]string{"simulate", "--campaigns", good, "--events", events, "--out", filepath.Join(dir, "out")}, more...)
	}
	late := `{"type":"track","userId":"u","event":"E","timestamp":"2026-03-01T10:00:00Z"}` + "\n" +
		`{"type":"track","userId":"u","event":"E","timestamp":"2026-03-01T09:00:00Z"}` + "\n"
	f("use --sort", simulate(write("late.ndjson", late))...)
	f(":1: timestamp: is needed", simulate(write("no.ndjson", `{"type":"track","userId":"u","event":"E"}`))...)
	f(":1: the body is not valid JSON", simulate(write("bad.ndjson", `{`))...)
	f("no such file", simulate(filepath.Join(dir, "none"))...)
	f("must be from 1 to 64", simulate(write("ok.ndjson", ""), "--partitions", "65")...)
	f(`--until "soon" is no time`, simulate(filepath.Join(dir, "ok.ndjson"), "--until", "soon")...)
	f("no .yaml, .yml or .json file", "check", dir+"/")
	f("is not defined; add a document of kind Channel", "check", write("c.yaml",
		"apiVersion: nudge/v1\nkind: Campaign\nmetadata: {name: a}\nspec:\n  trigger: {event: {name: E}}\n"+
			"  steps: [{id: s, send: {channel: pigeon}}]\n"))
	f("no server at 127.0.0.1:1", "list", "--admin", "127.0.0.1:1")
	f("unexpected argument nonsense", "nonsense")
}
