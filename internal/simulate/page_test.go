package simulate_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/internal/definition"
	"github.com/nudge-engine/nudge/internal/simulate"
)

// Each example of docs/reference is a whole file: checked as nudge check does, and its
// scenarios hold.
func TestReference(t *testing.T) {
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob("../../docs/reference/*.md")
	if err != nil {
		t.Fatal(err)
	}
	scenarios := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for i, block := range strings.Split(string(text), "```yaml\n")[1:] {
			example, _, _ := strings.Cut(block, "```\n")
			file := definition.File{Name: fmt.Sprintf("%s, example %d", filepath.Base(page), i+1), Text: []byte(example)}
			scenarios += playExample(t, lang, file)
		}
	}
	if scenarios < 15 {
		t.Errorf("only %d scenarios were found", scenarios)
	}
}

// playExample checks one example and plays its scenarios; it returns how many these are.
func playExample(t *testing.T, lang *expr.Language, file definition.File) (scenarios int) {
	t.Helper()
	docs, err := definition.Parse(lang, []definition.File{file}, definition.Options{})
	if err != nil {
		t.Error(err)
		return 0
	}
	for i := range docs {
		sc := docs[i].Scenario
		if sc == nil {
			continue
		}
		scenarios++
		wrong, err := simulate.RunScenario(lang, docs, sc)
		if err != nil {
			t.Errorf("%s: %s: %v", file.Name, sc.Name, err)
		}
		for _, m := range wrong {
			t.Errorf("%s: %s: %s", file.Name, sc.Name, m)
		}
	}
	return scenarios
}
