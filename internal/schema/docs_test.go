package schema

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/campaign/parse"
)

// paths are all fields that the parser has, and the words that they take.
func paths(t *testing.T) (fields []string, words map[string][]string) {
	t.Helper()
	words = map[string][]string{}
	var walk func(path string, s *parse.Shape)
	walk = func(path string, s *parse.Shape) {
		for _, s := range alternatives(s) {
			words[path] = append(words[path], s.Words...)
			for _, f := range s.Fields {
				fields = append(fields, path+"."+f.Name)
				walk(path+"."+f.Name, f.Shape)
			}
			if s.Item != nil {
				walk(path, s.Item)
			}
		}
	}
	for _, kind := range parse.Kinds() {
		s, err := parse.ShapeOf(kind)
		if err != nil {
			t.Fatal(err)
		}
		walk(kind, s)
	}
	slices.Sort(fields)
	return slices.Compact(fields), words
}

// docs/reference has an example of every field, which the parser accepts, and mentions
// every word that a field accepts.
func TestEveryFieldHasAnExample(t *testing.T) {
	const reference = "../../docs/reference"
	lang := language(t)
	shown, said := map[string]bool{}, map[string]bool{}
	for _, d := range corpus(t) {
		if filepath.Dir(d.file) != reference || parses(t, lang, d.root) != nil {
			continue
		}
		for _, p := range places(t, d) {
			shown[p.path] = true
			if n := p.at(d.root); n.Value != "" {
				said[p.path+"="+n.Value] = true
			}
		}
	}
	fields, words := paths(t)
	for _, f := range fields {
		if strings.HasPrefix(f, "Campaign.steps.call") { // not supported yet
			continue
		}
		if !shown[f] {
			t.Errorf("docs/reference has no example of %s", f)
		}
	}
	var pages []byte
	files, err := filepath.Glob(reference + "/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, text...)
	}
	for _, f := range fields {
		for _, w := range words[f] {
			if strings.HasPrefix(f, "Campaign.steps.call") {
				continue
			}
			whole := regexp.MustCompile(`\b` + regexp.QuoteMeta(w) + `\b`)
			if !said[f+"="+w] && !whole.Match(pages) {
				t.Errorf("docs/reference does not say the word %s of %s", w, f)
			}
		}
	}
}
