package schema

import (
	"slices"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/nudge-engine/nudge/campaign/parse"
)

// place is where a document has a value, with the shape that it has there.
type place struct {
	root  *yaml.Node
	steps []int  // indexes into Content, from the root
	path  string // as the descriptions name it
	shape *parse.Shape
}

// at is the node of a place in a copy of its document.
func (p *place) at(root *yaml.Node) *yaml.Node {
	n := root
	for _, i := range p.steps {
		n = n.Content[i]
	}
	return n
}

func clone(n *yaml.Node) *yaml.Node {
	c := *n
	c.Content = nil
	for _, child := range n.Content {
		c.Content = append(c.Content, clone(child))
	}
	return &c
}

// places finds the values of a document.
func places(t *testing.T, d document) []place {
	t.Helper()
	shape, err := parse.ShapeOf(d.kind)
	if err != nil {
		t.Fatal(err)
	}
	var all []place
	var visit func(n *yaml.Node, s *parse.Shape, path string, steps []int)
	visit = func(n *yaml.Node, s *parse.Shape, path string, steps []int) {
		all = append(all, place{d.root, slices.Clone(steps), path, s})
		for _, s := range alternatives(s) {
			switch {
			case s.Kind == parse.ShapeObject && n.Kind == yaml.MappingNode:
				for i := 0; i < len(n.Content); i += 2 {
					for _, f := range s.Fields {
						if f.Name == n.Content[i].Value {
							visit(n.Content[i+1], f.Shape, path+"."+f.Name, append(steps, i+1))
						}
					}
				}
			case s.Kind == parse.ShapeMap && n.Kind == yaml.MappingNode && s.Item.Kind != parse.ShapeJSON:
				for i := 1; i < len(n.Content); i += 2 {
					visit(n.Content[i], s.Item, path, append(steps, i))
				}
			case s.Kind == parse.ShapeList && n.Kind == yaml.SequenceNode:
				for i := range n.Content {
					visit(n.Content[i], s.Item, path, append(steps, i))
				}
			}
		}
	}
	for i := 0; i < len(d.root.Content); i += 2 {
		if d.root.Content[i].Value == "spec" {
			visit(d.root.Content[i+1], shape, d.kind, []int{i + 1})
		}
	}
	return all
}

func alternatives(s *parse.Shape) []*parse.Shape {
	if s.Kind != parse.ShapeAny {
		return []*parse.Shape{s}
	}
	var all []*parse.Shape
	for i := range s.Any {
		all = append(all, &s.Any[i])
	}
	return all
}

// sort of node: object, list, null, or the type of a scalar.
func sortOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "object"
	case yaml.SequenceNode:
		return "list"
	default:
		return n.Tag
	}
}

// may says which sorts of nodes some value of a shape has.
func may(s *parse.Shape, sort string) bool {
	for _, s := range alternatives(s) {
		var sorts []string
		switch s.Kind {
		case parse.ShapeJSON:
			return true
		case parse.ShapeObject, parse.ShapeMap:
			sorts = []string{"object"}
		case parse.ShapeList:
			sorts = []string{"list"}
		case parse.ShapeNull:
			sorts = []string{"!!null"}
		case parse.ShapeBoolean:
			sorts = []string{"!!bool"}
		case parse.ShapeInteger:
			sorts = []string{"!!int"}
		case parse.ShapeNumber:
			sorts = []string{"!!int", "!!float"}
		case parse.ShapeLiteral:
			sorts = []string{"!!null", "!!bool", "!!int", "!!float", "!!str"}
		case parse.ShapeText, parse.ShapeExpression, parse.ShapePredicate:
			sorts = []string{"!!bool", "!!int", "!!float", "!!str"}
		case parse.ShapeName:
			sorts = []string{"!!bool", "!!int", "!!str"}
		default: // words, durations, times, zones, paths
			sorts = []string{"!!str"}
		}
		if slices.Contains(sorts, sort) {
			return true
		}
	}
	return false
}

func scalarNode(tag, value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: value}
}

// values are what is put in the place of each value in turn.
func values() []*yaml.Node {
	return []*yaml.Node{
		{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{scalarNode("!!int", "1")}},
		{Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{scalarNode("!!str", "zz"), scalarNode("!!int", "1")}},
		scalarNode("!!null", "null"),
		scalarNode("!!bool", "true"),
		scalarNode("!!int", "7"),
		scalarNode("!!float", "0.25"),
		scalarNode("!!str", "no such thing"),
	}
}

// never are values that no value of a shape can be, although their type is right.
func never(kind parse.ShapeKind) []*yaml.Node {
	var all []*yaml.Node
	add := func(tag string, values ...string) {
		for _, v := range values {
			all = append(all, scalarNode(tag, v))
		}
	}
	switch kind {
	case parse.ShapeWord:
		add("!!str", "no such thing", "")
	case parse.ShapeDuration:
		add("!!str", "no such thing", "0s", "5 days", "1y", "-1h", "")
	case parse.ShapeOffset:
		add("!!str", "no such thing", "--1d", "7")
	case parse.ShapeClock:
		add("!!str", "9:00", "24:30", "noon")
	case parse.ShapeInstant:
		add("!!str", "yesterday", "2026-03-01", "2026-03-01T00:00:00")
	case parse.ShapeName:
		add("!!str", "has space", "", "-a")
	case parse.ShapeTrait:
		add("!!str", "customer.level", "traits.level", "customer.traits.a..b")
	case parse.ShapePath:
		add("!!str", "contact.phone")
	case parse.ShapeInteger:
		add("!!int", "-2000000000000", "2000000000000")
		add("!!float", "1.5")
	case parse.ShapeNumber:
		add("!!float", "1e16", "-1e16")
	default:
	}
	return all
}

// size is how many nodes there are.
func size(n *yaml.Node) int {
	total := 1
	for _, c := range n.Content {
		total += size(c)
	}
	return total
}

// sampled keeps the first few places of each path, so that each field is tried in
// several surroundings and the test stays short.
func sampled(all []place, each int) []place {
	count := map[string]int{}
	return slices.DeleteFunc(all, func(p place) bool {
		count[p.path]++
		return count[p.path] > each
	})
}

// Documents are changed at every field that the parser has: whatever it still takes is
// valid, and an unknown field, a wrong type, a wrong word, a number out of range and a
// missing field are refused by both.
func TestMutations(t *testing.T) {
	lang, schema := language(t), compiled(t)
	var all []place
	docs := corpus(t)
	slices.SortStableFunc(docs, func(a, b document) int { return size(a.root) - size(b.root) }) // small ones are quick
	for _, d := range docs {
		if parses(t, lang, d.root) == nil {
			all = append(all, places(t, d)...)
		}
	}
	sample := map[string]*yaml.Node{} // a value for each path
	for i := range all {
		if p := &all[i]; sample[p.path] == nil {
			sample[p.path] = p.at(p.root)
		}
	}
	tried, refused := 0, 0
	// ask compares the two on a changed document; bad says that both must refuse it.
	ask := func(p *place, what string, bad bool, change func(n *yaml.Node)) {
		t.Helper()
		root := clone(p.root)
		change(p.at(root))
		tried++
		parsed, valid := parses(t, lang, root), schema.Validate(asJSON(t, root))
		if parsed != nil {
			refused++
		}
		switch {
		case parsed == nil && valid != nil:
			t.Errorf("%s %s: the parser takes it, the schema does not: %v", p.path, what, valid)
		case bad && parsed == nil:
			t.Errorf("%s %s: the parser takes it", p.path, what)
		case bad && valid == nil:
			t.Errorf("%s %s: the schema takes it", p.path, what)
		}
	}
	for _, p := range sampled(all, 3) {
		put := func(v *yaml.Node, bad bool) {
			t.Helper()
			ask(&p, "= "+sortOf(v)+" "+v.Value, bad, func(n *yaml.Node) { *n = *v })
		}
		for _, v := range values() {
			put(v, !may(p.shape, sortOf(v)))
		}
		if p.shape.Kind != parse.ShapeAny {
			for _, v := range never(p.shape.Kind) {
				put(v, true)
			}
		}
		for _, s := range alternatives(p.shape) {
			for _, word := range s.Words {
				put(scalarNode("!!str", word), false)
			}
			if s.Kind == parse.ShapeObject && p.at(p.root).Kind == yaml.MappingNode {
				fields(&p, s, sample, ask)
			}
		}
	}
	t.Logf("%d documents tried, %d of them refused by the parser", tried, refused)
	if tried < 3000 || refused < tried/2 {
		t.Errorf("%d documents tried, %d of them refused", tried, refused)
	}
}

// fields takes each field away and adds each that is not there, and an unknown one.
func fields(
	p *place, s *parse.Shape, sample map[string]*yaml.Node,
	ask func(p *place, what string, bad bool, change func(n *yaml.Node)),
) {
	add := func(name string, value *yaml.Node) func(n *yaml.Node) {
		return func(n *yaml.Node) { n.Content = append(n.Content, scalarNode("!!str", name), clone(value)) }
	}
	ask(p, "+ an unknown field", true, add("zz", scalarNode("!!int", "1")))
	for _, f := range s.Fields {
		value := sample[p.path+"."+f.Name]
		switch {
		case get(p.at(p.root), f.Name) != nil:
			ask(p, "without "+f.Name, f.Required, func(n *yaml.Node) {
				for i := range n.Content {
					if i%2 == 0 && n.Content[i].Value == f.Name {
						n.Content = slices.Delete(n.Content, i, i+2)
						return
					}
				}
			})
		case value != nil:
			ask(p, "with "+f.Name, false, add(f.Name, value))
		}
	}
}
