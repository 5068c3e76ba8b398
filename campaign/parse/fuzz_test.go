package parse

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/nudge-engine/nudge/campaign/expr"
)

// FuzzParse: no text makes the parser panic; what it accepts means the same when
// what is kept of it is read back.
func FuzzParse(f *testing.F) {
	lang, err := expr.NewLanguage()
	if err != nil {
		f.Fatal(err)
	}
	files, err := filepath.Glob("testdata/parse/*.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("apiVersion: nudge/v1\nkind: Channel\nmetadata: {name: h}\nspec: {type: console}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		docs, err := File(lang, "f", text)
		if err != nil {
			return
		}
		for i := range docs {
			again, err := Document(lang, "w", &docs[i].Document)
			if err != nil || again.Document.Source != docs[i].Document.Source {
				t.Fatalf("%q does not survive: %v", text, err)
			}
		}
	})
}
