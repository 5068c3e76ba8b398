package schema

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/parse"
)

// document is one document that the repository has somewhere.
type document struct {
	file string
	root *yaml.Node // the mapping
	kind string
}

// corpus is every document in the examples, presets, docs, scripts and other test data,
// those with errors too.
func corpus(t *testing.T) []document {
	t.Helper()
	const root = "../.."
	var all []document
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); d.IsDir() && (path != root && strings.HasPrefix(name, ".") || name == "bin" || name == "data") {
			return filepath.SkipDir
		}
		var texts []string
		switch ext := filepath.Ext(path); {
		case d.IsDir(), ext != ".yaml" && ext != ".txt" && ext != ".md":
			return nil
		default:
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			texts = definitions(ext, string(text))
		}
		for _, text := range texts {
			all = append(all, documents(path, text)...)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// definitions are the parts of a file that may be definitions: all of it, the blocks of
// a page in YAML, or the inputs of a script.
func definitions(ext, text string) []string {
	if ext == ".yaml" {
		return []string{text}
	}
	begin, end := "apiVersion:", "----"
	if ext == ".md" {
		begin, end = "```yaml", "```"
	}
	var all []string
	var b strings.Builder
	in := false
	for line := range strings.Lines(text) {
		switch bare := strings.TrimSpace(line); {
		case !in && strings.HasPrefix(line, begin):
			in = true
			if ext == ".md" {
				continue
			}
			b.WriteString(line)
		case in && bare == end:
			all = append(all, b.String())
			b.Reset()
			in = false
		case in:
			b.WriteString(line)
		}
	}
	return all
}

func documents(file, text string) []document {
	var all []document
	decoder := yaml.NewDecoder(strings.NewReader(text))
	for {
		var n yaml.Node
		if err := decoder.Decode(&n); err != nil { // the end, or no YAML
			return all
		}
		if len(n.Content) == 0 || n.Content[0].Kind != yaml.MappingNode {
			continue
		}
		if kind := get(n.Content[0], "kind"); kind != nil {
			all = append(all, document{file, n.Content[0], kind.Value})
		}
	}
}

// get is a member of a mapping, nil when there is none.
func get(n *yaml.Node, name string) *yaml.Node {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return nil
}

// parses says whether the parser takes a document.
func parses(t *testing.T, lang *expr.Language, root *yaml.Node) error {
	t.Helper()
	var text bytes.Buffer
	if err := yaml.NewEncoder(&text).Encode(spelled(root)); err != nil {
		t.Fatal(err)
	}
	_, err := parse.File(lang, "f.yaml", text.Bytes())
	return err
}

// spelled is a copy in which what is written as nothing is null: the encoder makes an
// empty text of it.
func spelled(n *yaml.Node) *yaml.Node {
	c := *n
	c.Content = nil
	if c.Tag == "!!null" {
		c.Value = "null"
	}
	for _, child := range n.Content {
		c.Content = append(c.Content, spelled(child))
	}
	return &c
}

// asJSON is what an editor makes of a YAML value before it asks the schema.
func asJSON(t *testing.T, n *yaml.Node) any {
	t.Helper()
	switch n.Kind {
	case yaml.MappingNode:
		o := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			o[n.Content[i].Value] = asJSON(t, n.Content[i+1])
		}
		return o
	case yaml.SequenceNode:
		list := []any{}
		for _, item := range n.Content {
			list = append(list, asJSON(t, item))
		}
		return list
	default:
	}
	switch n.Tag {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int":
		if v, err := strconv.ParseInt(n.Value, 0, 64); err == nil {
			return json.Number(strconv.FormatInt(v, 10))
		}
	case "!!float":
		if v, err := strconv.ParseFloat(n.Value, 64); err == nil && !math.IsInf(v, 0) && !math.IsNaN(v) {
			return json.Number(strconv.FormatFloat(v, 'g', -1, 64))
		}
	}
	return n.Value
}
