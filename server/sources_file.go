package server

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/nudge-engine/nudge/campaign/nearest"
)

// sourcesFile reads the text of a file of sources and collects what is wrong with it, each with
// its place, as `nudge check` does for definitions. Unknown fields are errors, so that a misspelt
// limit does not count for nothing.
type sourcesFile struct {
	path string
	errs []error
	// items has the node of each source, for the place of what is found wrong later.
	items []*yaml.Node
}

// sourceFields are the fields of a source, with what each of them must be.
//
//nudge:constant read only
var sourceFields = []struct {
	name string
	fits func(n *yaml.Node) bool
	must string
}{
	{"name", isWord, "a text"},
	{"key", isWord, "a text"},
	{"require_consent", isWord, "a text"},
	{"rate", func(n *yaml.Node) bool { return n.Tag == "!!int" || n.Tag == "!!float" }, "a number"},
	{"scope", isWords, "a word or a list of words"},
}

// isWord reports whether a value is a scalar.
func isWord(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode }

// isWords reports whether a value is a scalar or a list of scalars.
func isWords(n *yaml.Node) bool {
	return isWord(n) || n.Kind == yaml.SequenceNode && !slices.ContainsFunc(n.Content, func(n *yaml.Node) bool {
		return !isWord(target(n))
	})
}

// target returns the value that an alias stands for, or the node itself.
func target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// wrong notes an error at the place of a node.
func (f *sourcesFile) wrong(n *yaml.Node, format string, args ...any) {
	said := fmt.Sprintf(format, args...)
	f.errs = append(f.errs, fmt.Errorf("sources_file %s:%d:%d: %s", f.path, n.Line, n.Column, said))
}

// at returns the value of a field of a source, or the source where it has none.
func (f *sourcesFile) at(i int, field string) *yaml.Node {
	item := f.items[i]
	for k := 0; k+1 < len(item.Content); k += 2 {
		if item.Content[k].Value == field {
			return item.Content[k+1]
		}
	}
	return item
}

// read returns the sources of a text. They count only when nothing was found wrong. The shapes are
// looked at first: the errors of the YAML library name Go types, and repeat values, which may be
// keys.
func (f *sourcesFile) read(text []byte) []source {
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		f.errs = append(f.errs, fmt.Errorf("sources_file %s: %s", f.path, strings.TrimPrefix(err.Error(), "yaml: ")))
		return nil
	}
	// There is nothing in the file but comments.
	if len(document.Content) == 0 || document.Content[0].Tag == "!!null" {
		return nil
	}
	root := document.Content[0]
	if root.Kind != yaml.MappingNode {
		f.wrong(root, "the file must have a list of sources; write for example sources: [{name: partner, key: ...}]")
		return nil
	}
	f.fields(root, "the file", []string{"sources"}, func(_ int, list *yaml.Node) {
		switch {
		case list.Kind == yaml.SequenceNode:
			for i, item := range list.Content {
				f.item(target(item), i)
			}
		case list.Tag != "!!null":
			f.wrong(list, "sources must be a list; write for example sources: [{name: partner, key: ...}]")
		}
	})
	if len(f.errs) > 0 {
		return nil
	}
	var file struct {
		Sources []source `yaml:"sources"`
	}
	if err := document.Decode(&file); err != nil {
		var several *yaml.TypeError
		// What is left of these are keys that are there twice.
		if errors.As(err, &several) {
			err = errors.New(strings.Join(several.Errors, "; "))
		}
		f.errs = append(f.errs, fmt.Errorf("sources_file %s: %w", f.path, err))
	}
	return file.Sources
}

// item looks at the shape of one source.
func (f *sourcesFile) item(n *yaml.Node, i int) {
	f.items = append(f.items, n)
	what := fmt.Sprintf("sources[%d]", i)
	if n.Kind != yaml.MappingNode {
		f.wrong(n, "%s must be an object; write for example {name: partner, key: ...}", what)
		return
	}
	names := make([]string, len(sourceFields))
	for k := range sourceFields {
		names[k] = sourceFields[k].name
	}
	f.fields(n, what, names, func(field int, value *yaml.Node) {
		if rule := sourceFields[field]; value.Tag != "!!null" && !rule.fits(value) {
			f.wrong(value, "%s.%s must be %s", what, rule.name, rule.must)
		}
	})
}

// fields calls each with the fields of an object, by their place in names, and reports others.
func (f *sourcesFile) fields(n *yaml.Node, what string, names []string, each func(field int, value *yaml.Node)) {
	for k := 0; k+1 < len(n.Content); k += 2 {
		key := n.Content[k]
		switch field := slices.Index(names, key.Value); {
		case field >= 0:
			each(field, target(n.Content[k+1]))
		// The fields of another object are looked at where that one is.
		case key.Tag == "!!merge":
		default:
			f.wrong(key, "%s: unknown field %q; it may have %s%s", what, key.Value, strings.Join(names, ", "),
				nearest.Hint(key.Value, names))
		}
	}
}
