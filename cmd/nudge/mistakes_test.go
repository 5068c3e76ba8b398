package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
)

var placed = regexp.MustCompile(`^[^:]+\.(?:yaml|json):\d+:\d+: .`)

// TestMistakes tells what `nudge check` says about what people write by mistake:
// testdata/mistakes/*.txt. The command check has a file as its input, f.yaml or what
// name= says; file adds another one beside it; <tab> stands for a tab. In what it says,
// <verbs>, <triggers> and <channel types> stand for all of them, so that a new one changes
// no line here.
func TestMistakes(t *testing.T) {
	lists := lists(t)
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
			return lists.Replace(strings.Join(lines[:len(lines)-1], "\n")) + "\n"
		})
	})
}

// lists names the enumerations of messages that grow with the language.
func lists(t *testing.T) *strings.Replacer {
	t.Helper()
	spec, err := parse.ShapeOf(program.KindCampaign)
	if err != nil {
		t.Fatal(err)
	}
	var verbs, triggers []string
	for _, f := range spec.Fields {
		switch f.Name {
		case "steps":
			for _, of := range f.Shape.Item.Fields {
				verbs = append(verbs, of.Name)
			}
		case "trigger":
			for _, of := range f.Shape.Fields {
				triggers = append(triggers, of.Name)
			}
		}
	}
	verbs = slices.DeleteFunc(verbs, func(word string) bool { return slices.Contains([]string{"id", "goto", "loop"}, word) })
	list := func(words []string) string { return strings.Join(words, ", ") }
	return strings.NewReplacer(list(verbs), "<verbs>", list(triggers), "<triggers>",
		list(program.ChannelTypes()), "<channel types>")
}
