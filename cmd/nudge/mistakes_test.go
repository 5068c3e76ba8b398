package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

var placed = regexp.MustCompile(`^[^:]+\.(?:yaml|json):\d+:\d+: .`)

// TestMistakes tells what `nudge check` says about what people write by mistake:
// testdata/mistakes/*.txt. The command check has a file as its input, f.yaml or what
// name= says; file adds another one beside it; <tab> stands for a tab.
func TestMistakes(t *testing.T) {
	datadriven.Walk(t, "testdata/mistakes", func(t *testing.T, path string) {
		t.Helper()
		dir := t.TempDir()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			t.Helper()
			name := "f.yaml"
			for _, a := range d.CmdArgs {
				if a.Key == "name" {
					name = a.Vals[0]
				}
			}
			text := strings.ReplaceAll(d.Input, "<tab>", "\t")
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if d.Cmd == "file" {
				return ""
			}
			code, out, errs := runTool(t, "check", dir)
			if found, err := filepath.Glob(filepath.Join(dir, "*")); err == nil {
				for _, f := range found {
					if err := os.Remove(f); err != nil {
						t.Fatal(err)
					}
				}
			}
			if code == 0 {
				return out
			}
			lines := strings.Split(strings.TrimSpace(strings.ReplaceAll(errs, dir+string(filepath.Separator), "")), "\n")
			seen := map[string]bool{}
			for _, line := range lines[:len(lines)-1] {
				if !placed.MatchString(line) {
					t.Errorf("%s: no file, line and column in %q", d.Pos, line)
				}
				if seen[line] {
					t.Errorf("%s: twice: %s", d.Pos, line)
				}
				seen[line] = true
			}
			return strings.Join(lines[:len(lines)-1], "\n") + "\n"
		})
	})
}
