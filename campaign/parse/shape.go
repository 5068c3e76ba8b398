package parse

import (
	"fmt"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/nudge-engine/nudge/campaign/program"
)

// Shape is what the parser accepts at one place of a document. The parser itself draws it: it runs
// without a document and says what it would read, so the two cannot differ. What several fields
// require of each other is not part of it. The schema for editors is built from shapes, and so are
// hints.
type Shape struct {
	Kind ShapeKind
	// Fields are the fields of an object, in the order of the parser.
	Fields []ShapeField
	// Item is the shape of a list's elements or a map's values.
	Item *Shape
	// Key is the sort of a map's names: ShapeName or ShapeText.
	Key ShapeKind
	// Least is the smallest number of characters of a text, or of members of a map.
	Least int
	// Most is the largest number of elements of a list, or of members of a map; 0: no limit of
	// their own.
	Most int
	// Words are those that a word may be.
	Words []string
	// Low and High bound numbers, inclusive.
	Low  float64
	High float64 // of numbers, inclusive
	// Step says that numbers are multiples of it; 0: any.
	Step float64
	// Any has the alternatives, such as a text or an object.
	Any []Shape
}

// ShapeField is one field of an object.
type ShapeField struct {
	Name     string
	Required bool
	Shape    *Shape
}

// ShapeKind is a sort of value.
type ShapeKind string

// The sorts of values that a field of a definition can have.
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

// Kinds returns the kinds of documents, sorted.
func Kinds() []string {
	return []string{
		program.KindCampaign,
		program.KindChannel,
		program.KindPolicy,
		program.KindScenario,
		program.KindTemplate,
	}
}

// ShapeOf returns what the spec of a document of a kind may say. It fails for an unknown kind.
func ShapeOf(kind string) (*Shape, error) {
	return drawShape("spec of "+kind, func(r *documentReader, n *yaml.Node) bool {
		d := Parsed{Definition: program.Definition{Document: program.Document{Kind: kind}}}
		return r.spec(n, &d, map[string]string{})
	})
}

// MetadataShape returns what the metadata of a document may say.
func MetadataShape() (*Shape, error) {
	return drawShape("metadata", func(r *documentReader, n *yaml.Node) bool {
		r.metadata(n, new(string), map[string]string{})
		return true
	})
}

// drawShape draws what read would read. It fails if read reads a value without telling its shape,
// which is a mistake of the parser.
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

// drawing is the state of a parser that draws shapes instead of reading.
type drawing struct {
	// into is what was told about the current place, for the current node.
	into []Shape
	// told is what was told about it for nodes of other sorts.
	told []Shape
	// blank counts the places of which nothing was told.
	blank int
}

// drawn notes a shape if the parser draws, and returns whether it does. Each function that reads a
// value begins with it, and returns if it is true.
func (r *reader) drawn(s Shape) bool {
	if r.draw == nil {
		return false
	}
	r.draw.into = append(r.draw.into, s)
	return true
}

// drawnBefore repeats what was told about the same object or list for a node of another sort, so
// that what is below it is drawn only once.
func (r *reader) drawnBefore(same func(s *Shape) bool) bool {
	for i := range r.draw.told {
		if same(&r.draw.told[i]) {
			r.draw.into = append(r.draw.into, r.draw.told[i])
			return true
		}
	}
	return false
}

// drawList draws a list and its elements.
func (r *reader) drawList(limit int, each func(n *yaml.Node)) {
	if r.drawnBefore(func(s *Shape) bool { return s.Kind == ShapeList && s.Most == limit }) {
		return
	}
	r.drawn(Shape{Kind: ShapeList, Most: limit, Item: r.probe(each)})
}

// drawObject draws an object and its fields, without those of a later version.
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

// probe draws what is accepted at a place. It calls read with a node of each sort, since the parser
// may choose by it: a text or an object. A place that takes null without reading anything allows
// null.
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
