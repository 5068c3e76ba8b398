package yamltext_test

import (
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/nudge-engine/nudge/campaign/yamltext"
)

// scalars are the texts of a document, by the order in which they stand in it.
func scalars(n *yaml.Node) (all []*yaml.Node) {
	if n.Kind == yaml.ScalarNode {
		return []*yaml.Node{n}
	}
	for _, c := range n.Content {
		all = append(all, scalars(c)...)
	}
	return all
}

// Each letter X of a value is found where the file has it, in every way of writing a
// scalar.
//
//nolint:dupword // the letters are what is looked for
func TestPlace(t *testing.T) {
	f := func(text string) {
		t.Helper()
		var root yaml.Node
		if err := yaml.Unmarshal([]byte(text), &root); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		file := yamltext.New([]byte(text))
		var got, want []yamltext.Place
		for _, n := range scalars(&root) {
			for at, c := range n.Value {
				p, ok := file.Place(n, at)
				if !ok {
					t.Errorf("%q: no place of byte %d of %q", text, at, n.Value)
				}
				if c == 'X' {
					got = append(got, p)
				}
			}
			if _, ok := file.Place(n, len(n.Value)); !ok {
				t.Errorf("%q: no place of the end of %q", text, n.Value)
			}
		}
		for i, line := range strings.Split(strings.TrimPrefix(text, "\uFEFF"), "\n") {
			for j, c := range []rune(line) {
				if c == 'X' {
					want = append(want, yamltext.Place{Line: i + 1, Column: j + 1})
				}
			}
		}
		if len(got) != len(want) {
			t.Fatalf("%q: %d places; want %d", text, len(got), len(want))
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%q: X number %d at %v; want %v", text, i, got[i], want[i])
			}
		}
	}
	f("a: X = X\n")
	f("a: X plain\n  folded X\n\n  twice X\n\n\n  X\nb: X\n")
	f("a: 'X''X it''s\n   X\n\n   X'\n")
	f(`a: "X\n\tX \"X\" \u00e9X \x41X \U0001F600X"` + "\n")
	f("a: \"X\\\n   X\n   X \\  X\"\n")
	f("a: |\n  X\n    X\n\n  X\nb: X\n")
	f("a: |-\n\n  X\n  X")
	f("a: |2\n    X\n  X\n")
	f("a: |+\n  X\n\n\nb: X\n")
	f("a: >\n  X X\n  X\n\n  X\n    X\n    X\n  X\n\n\n  X\nb: X\n")
	f("a: >-\n  X\n  X\n")
	f("- 😀 X é X\n- {b: [X, 'X']}\n")
	f("a: X\r\nb: |\r\n  X\r\n  X\r\n")
	f("\uFEFFa: X\n")
	f("a: |\n  X  \n  \tX\n")
	f("a: X # not a value: Y\n")
}

// A value that the text does not give has the place of its scalar.
func TestPlaceUnknown(t *testing.T) {
	n := &yaml.Node{Kind: yaml.ScalarNode, Value: "other", Line: 1, Column: 4}
	if p, ok := yamltext.New([]byte("a: text\n")).Place(n, 2); ok || p != (yamltext.Place{Line: 1, Column: 4}) {
		t.Errorf("unexpected %v, %v", p, ok)
	}
	n.Line = 7
	if p, ok := yamltext.New(nil).Place(n, 0); ok || p.Line != 7 {
		t.Errorf("unexpected %v, %v", p, ok)
	}
}
