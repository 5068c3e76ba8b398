package shard

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
)

// TestScriptsUseEveryVerbAndTrigger: each verb and each trigger that the parser reads is in a
// script, so that none comes without its story.
func TestScriptsUseEveryVerbAndTrigger(t *testing.T) {
	spec, err := parse.ShapeOf(program.KindCampaign)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/script/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	var told strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		told.Write(text)
	}
	words := 0
	for _, f := range spec.Fields {
		of := f.Shape
		switch f.Name {
		case "steps":
			of = of.Item
		case "trigger":
		default:
			continue
		}
		for _, word := range of.Fields {
			words++
			said := func(before string) bool { return strings.Contains(told.String(), before+word.Name+": ") }
			if !said(" ") && !said("{") {
				t.Errorf("no script has %s in %s; tell what it does in testdata/script", word.Name, f.Name)
			}
		}
	}
	if words < 20 {
		t.Errorf("got %d verbs and triggers; want those of the language", words)
	}
}
