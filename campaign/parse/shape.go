package parse

import (
	"fmt"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/nudge-engine/nudge/campaign/program"
)

// Shape is what the parser takes at one place of a document. It is drawn by the parser
// itself, which says what it would read instead of reading, so it cannot differ from it.
// What several fields say together is not part of it.
type Shape struct {
	Kind   ShapeKind
	Fields []ShapeField // of an object, in the order of the parser
	Item   *Shape       // of a list's elements or a map's values
	Key    ShapeKind    // of a map's names: ShapeName or ShapeText
	Least  int          // characters of a text, members of a map
	Most   int          // elements of a list, members of a map; 0: no limit of their own
	Words  []string     // of a word
	Low    float64      // of numbers, inclusive
	High   float64      // of numbers, inclusive
	Step   float64      // of numbers: they are multiples of it; 0: any
	Any    []Shape      // of alternatives
}

// ShapeField is one field of an object.
type ShapeField struct {
	Name     string
	Required bool
	Shape    *Shape
}

// ShapeKind is a sort of value.
type ShapeKind string

// The sorts of values.
const (
	ShapeObject     ShapeKind = "object" // with fields of its own and no others
	ShapeMap        ShapeKind = "map"    // with names of the author's
	ShapeList       ShapeKind = "list"
	ShapeAny        ShapeKind = "any" // one of several shapes
	ShapeNull       ShapeKind = "null"
	ShapeJSON       ShapeKind = "json"    // any value
	ShapeLiteral    ShapeKind = "literal" // a text, a number, true, false or null
	ShapeText       ShapeKind = "text"
	ShapeName       ShapeKind = "name" // an identifier
	ShapeWord       ShapeKind = "word" // one of several
	ShapeBoolean    ShapeKind = "boolean"
	ShapeInteger    ShapeKind = "integer"
	ShapeNumber     ShapeKind = "number"
	ShapeDuration   ShapeKind = "duration" // more than zero
	ShapeOffset     ShapeKind = "offset"   // a duration with a sign, or zero
	ShapeZone       ShapeKind = "zone"
	ShapeClock      ShapeKind = "clock" // a time of day
	ShapeInstant    ShapeKind = "instant"
	ShapeExpression ShapeKind = "expression"
	ShapePredicate  ShapeKind = "predicate" // an expression that gives true or false
	ShapeTrait      ShapeKind = "trait"     // the path of an attribute
	ShapePath       ShapeKind = "path"      // of a value in a webhook's body
)

// Kinds are the kinds of documents.
func Kinds() []string {
	return []string{
		program.KindCampaign,
		program.KindChannel,
		program.KindPolicy,
		program.KindScenario,
		program.KindTemplate,
	}
}

// ShapeOf is what the spec of a document of a kind may say.
func ShapeOf(kind string) (*Shape, error) {
	return drawShape("spec of "+kind, func(r *documentReader, n *yaml.Node) bool {
		d := Parsed{Definition: program.Definition{Document: program.Document{Kind: kind}}}
		return r.spec(n, &d, map[string]string{})
	})
}

// MetadataShape is what the metadata of a document may say.
func MetadataShape() (*Shape, error) {
	return drawShape("metadata", func(r *documentReader, n *yaml.Node) bool {
		r.metadata(n, new(string), map[string]string{})
		return true
	})
}

func drawShape(what string, read func(r *documentReader, n *yaml.Node) bool) (*Shape, error) {
	r := &reader{draw: new(drawing)}
	known := true
	shape := r.probe(func(n *yaml.Node) { known = read(&documentReader{r}, n) && known })
	if !known {
		return nil, fmt.Errorf("campaign: %s: unknown", what)
	}
	if r.draw.blank > 0 {
		return nil, fmt.Errorf("campaign: %s: %d values are read without their shape being told", what, r.draw.blank)
	}
	return shape, nil
}

// drawing is the state of a parser that tells what it takes.
type drawing struct {
	into  []Shape // what was told about the current place, for the current node
	told  []Shape // what was told about it for nodes of other sorts
	blank int     // places of which nothing was told
}

// drawn notes a shape, if the parser is to tell shapes; it says whether it is.
func (r *reader) drawn(s Shape) bool {
	if r.draw == nil {
		return false
	}
	r.draw.into = append(r.draw.into, s)
	return true
}

// drawnBefore repeats what was told about the same object or list for another node, so
// that what is below it is asked only once.
func (r *reader) drawnBefore(same func(s *Shape) bool) bool {
	for i := range r.draw.told {
		if same(&r.draw.told[i]) {
			r.draw.into = append(r.draw.into, r.draw.told[i])
			return true
		}
	}
	return false
}

func (r *reader) drawList(limit int, each func(n *yaml.Node)) {
	if r.drawnBefore(func(s *Shape) bool { return s.Kind == ShapeList && s.Most == limit }) {
		return
	}
	r.drawn(Shape{Kind: ShapeList, Most: limit, Item: r.probe(each)})
}

func (r *reader) drawObject(fields []field) {
	now := slices.DeleteFunc(slices.Clone(fields), func(f field) bool { return f.later })
	if r.drawnBefore(func(s *Shape) bool {
		return s.Kind == ShapeObject && slices.EqualFunc(s.Fields, now, func(a ShapeField, b field) bool {
			return a.Name == b.name
		})
	}) {
		return
	}
	s := Shape{Kind: ShapeObject}
	for _, f := range now {
		s.Fields = append(s.Fields, ShapeField{Name: f.name, Required: f.required, Shape: r.probe(f.read)})
	}
	r.drawn(s)
}

// probe asks what is taken at a place, with a node of each sort, as the parser may
// choose by it. Who takes a null without reading anything allows nulls.
func (r *reader) probe(read func(n *yaml.Node)) *Shape {
	outer := *r.draw
	r.draw.told = nil
	for _, n := range []yaml.Node{
		{Kind: yaml.ScalarNode, Tag: "!!str"},
		{Kind: yaml.SequenceNode, Tag: "!!seq"},
		{Kind: yaml.MappingNode, Tag: "!!map"},
		{Kind: yaml.ScalarNode, Tag: "!!null"},
	} {
		r.draw.into = nil
		read(&n)
		now := r.draw.into
		switch {
		case len(now) == 0 && n.Tag == "!!null":
			now = []Shape{{Kind: ShapeNull}}
		case len(now) == 0:
			r.draw.blank++
		}
		for _, s := range now {
			if !slices.ContainsFunc(r.draw.told, func(x Shape) bool { return reflect.DeepEqual(x, s) }) {
				r.draw.told = append(r.draw.told, s)
			}
		}
	}
	told := r.draw.told
	r.draw.into, r.draw.told = outer.into, outer.told
	if len(told) == 1 {
		return &told[0]
	}
	return &Shape{Kind: ShapeAny, Any: told}
}
