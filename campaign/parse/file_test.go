package parse

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/nudge-engine/nudge/campaign/expr"
)

// TestParse tells what the language accepts and refuses: testdata/parse/*.txt.
// Every error of a file comes at once, with line and column; <verbs> stands for all verbs.
func TestParse(t *testing.T) {
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	datadriven.Walk(t, "testdata/parse", func(t *testing.T, path string) {
		t.Helper()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			t.Helper()
			docs, err := File(lang, "f.yaml", []byte(d.Input))
			if err != nil {
				var all Errors
				if !errors.As(err, &all) {
					t.Fatalf("%s: unexpected class of error: %v", d.Pos, err)
				}
				return strings.ReplaceAll(err.Error(), new(stepReader).verbNames(), "<verbs>") + "\n"
			}
			var out strings.Builder
			for _, p := range docs {
				out.WriteString(p.Document.Kind + " " + p.Document.Name + "\n")
				// What is kept of a document means the same when it is read back.
				again, err := Document(lang, "default", &p.Document)
				if err != nil || again.Document.Source != p.Document.Source {
					t.Errorf("%s: %s does not survive: %v", d.Pos, p.Document.Name, err)
				}
			}
			return out.String()
		})
	})
}

func TestParseLimits(t *testing.T) {
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	f := func(text, want string) {
		t.Helper()
		if _, err := File(lang, "f.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: unexpected error %v; want %q", text, err, want)
		}
	}
	f(strings.Repeat("#", 1<<20+1), "at most 1048576 are allowed")
	f("a: "+strings.Repeat("[", 100)+strings.Repeat("]", 100), "nested deeper than 32")
	f("a: &x [1]\nb: *x\n", "unknown field")
	head := "apiVersion: nudge/v1\nkind: Campaign\nmetadata: {name: a}\nspec:\n  trigger: {event: {name: E}}\n  steps:\n"
	f(head+strings.Repeat("  - {id: a, delay: 1s}\n", 101), "at most 100 are allowed")
	f(head+"  - {id: a, delay: 11y}\n", "is not understood")
	f(head+"  - {id: a, delay: 4000d}\n", "over ten years")
	f(head+"  - {id: a, delay: 0s}\n", "more than zero")
	// So many errors are neither told nor looked into.
	var b strings.Builder
	for i := range 50_000 {
		b.WriteString("  field" + strconv.Itoa(i) + ": 1\n")
	}
	f("apiVersion: nudge/v1\nkind: Campaign\nmetadata: {name: a}\nspec:\n"+b.String(), "49802 more errors from here on")
}
