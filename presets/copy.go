package presets

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// As returns the preset's text under another name: each name of a campaign or scenario that is
// the preset's, or begins with it and a dash, begins with the new one. All else, comments too,
// stays as it is. The names are found by parsing, and replaced in the text by their line and
// column.
func (p Preset) As(name string) ([]byte, error) {
	docs, err := documents(p.Text)
	if err != nil {
		return nil, err
	}
	lines := strings.SplitAfter(string(p.Text), "\n")
	// A name occurs in metadata, in the list of campaigns of a scenario, in its steps that
	// start one, and in what it expects.
	for _, doc := range docs {
		spec := value(doc, "spec")
		named := []*yaml.Node{value(value(doc, "metadata"), "name")}
		named = append(named, items(value(spec, "campaigns"))...)
		for _, step := range items(value(spec, "steps")) {
			named = append(named, value(value(step, "start"), "campaign"))
			for _, expected := range items(value(step, "expect")) {
				named = append(named, value(expected, "campaign"))
			}
		}
		// From the back, so that the columns before stay right.
		for i := len(named) - 1; i >= 0; i-- {
			n := named[i]
			// A preset may name campaigns of others, which keep their names.
			if n == nil || n.Value != p.Name && !strings.HasPrefix(n.Value, p.Name+"-") {
				continue
			}
			line := lines[n.Line-1]
			// A quoted name begins one column later. Presets write none.
			if !strings.HasPrefix(line[n.Column-1:], p.Name) {
				return nil, fmt.Errorf("presets: %s:%d:%d: a name is expected here", p.Name, n.Line, n.Column)
			}
			lines[n.Line-1] = line[:n.Column-1] + name + line[n.Column-1+len(p.Name):]
		}
	}
	return []byte(strings.Join(lines, "")), nil
}

// Shared returns the channels and caps that definitions use and that are defined neither in
// them nor in others: the documents to add, each after a line ---, and their names, as in
// uses. add is empty when nothing is missing. Only what the library has can be added; another
// missing channel is left to the check of the definitions.
func Shared(text []byte, others ...[]byte) (add []byte, names []string, err error) {
	// What is used but defined nowhere is looked for in the library.
	used, err := uses(text)
	if err != nil {
		return nil, nil, err
	}
	defined := map[string]bool{}
	for _, other := range append(others, text) {
		docs, err := documents(other)
		if err != nil {
			return nil, nil, err
		}
		for _, doc := range docs {
			for _, name := range definedBy(doc) {
				defined[name] = true
			}
		}
	}
	library, err := files.ReadFile(sharedFile)
	if err != nil {
		return nil, nil, fmt.Errorf("presets: %w", err)
	}
	// The library is split as text, because its comments come along too.
	for _, part := range bytes.Split(library, []byte("---\n")) {
		docs, err := documents(part)
		if err != nil {
			return nil, nil, err
		}
		for _, doc := range docs {
			for _, name := range definedBy(doc) {
				if used[name] && !defined[name] {
					add = append(append(add, "---\n"...), part...)
					names = append(names, name)
				}
			}
		}
	}
	return add, names, nil
}

// SharedHead returns the comment at the top of the shared file, for a workspace.yaml that is
// new.
func SharedHead() ([]byte, error) {
	library, err := files.ReadFile(sharedFile)
	if err != nil {
		return nil, fmt.Errorf("presets: %w", err)
	}
	head, _, _ := bytes.Cut(library, []byte("---\n"))
	return head, nil
}

// uses returns the channels ("channel email") and caps ("cap daily") that campaigns name.
func uses(text []byte) (map[string]bool, error) {
	docs, err := documents(text)
	if err != nil {
		return nil, err
	}
	used := map[string]bool{}
	for _, doc := range docs {
		spec := value(doc, "spec")
		for _, name := range items(value(value(spec, "policy"), "caps")) {
			used["cap "+name.Value] = true
		}
		for _, step := range items(value(spec, "steps")) {
			send := value(step, "send")
			// A send names one channel or several.
			if one := value(send, "channel"); one != nil {
				used["channel "+one.Value] = true
			}
			for _, name := range items(value(send, "channels")) {
				used["channel "+name.Value] = true
			}
		}
	}
	return used, nil
}

// definedBy returns the channel or the caps that a document defines, named as in uses.
func definedBy(doc *yaml.Node) []string {
	kind := value(doc, "kind")
	if kind == nil {
		return nil
	}
	var names []string
	switch kind.Value {
	case "Channel":
		if name := value(value(doc, "metadata"), "name"); name != nil {
			names = append(names, "channel "+name.Value)
		}
	case "Policy":
		for _, c := range items(value(value(doc, "spec"), "caps")) {
			if name := value(c, "name"); name != nil {
				names = append(names, "cap "+name.Value)
			}
		}
	}
	return names
}

// documents returns the documents of a YAML text, each as the node of its content, which knows
// its line and column. Empty documents are left out.
func documents(text []byte) ([]*yaml.Node, error) {
	var docs []*yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var root yaml.Node
		err := decoder.Decode(&root)
		if errors.Is(err, io.EOF) {
			return docs, nil
		}
		if err != nil {
			return nil, fmt.Errorf("presets: %w", err)
		}
		if len(root.Content) > 0 {
			docs = append(docs, root.Content[0])
		}
	}
}

// value returns a member of a mapping; nil when there is none, or n is no mapping. So calls
// can be nested without a check in between.
func value(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// items returns the members of a list; nil when n is none.
func items(n *yaml.Node) []*yaml.Node {
	if n == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	return n.Content
}
