package schema

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
)

// descriptionText has a line for each field: its path, a colon, and what it means.
//
//go:embed descriptions.txt
var descriptionText string //nudge:constant embedded

// member is one member of an object.
type member struct {
	name  string
	value any
}

// object is a JSON object whose members keep their order. A Go map would sort them, and the
// reader of the schema expects the order of the documentation.
type object []member

// MarshalJSON writes the members in their order.
func (o object) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, m := range o {
		name, err := plain(m.name)
		if err != nil {
			return nil, err
		}
		value, err := plain(m.value)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, name...), ':'), value...)
	}
	return append(b, '}'), nil
}

// plain returns v as JSON without escaping for HTML: patterns contain < and >.
func plain(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// Build makes the schema from the parser's shapes and the descriptions, as indented JSON.
// It fails where a field has no description, or a description no field. It is for the test
// that compares the committed copy and rewrites it.
func Build() ([]byte, error) {
	b, err := newBuilder(descriptionText)
	if err != nil {
		return nil, err
	}
	metadata, err := parse.MetadataShape()
	if err != nil {
		return nil, err
	}
	// The members are in the order in which a reader of the file wants them.
	root := object{
		{"$schema", "https://json-schema.org/draft/2020-12/schema"},
		{"$id", "urn:nudge:schema:campaign:v1"},
		{"title", "A document of a nudge definition file"},
		{"type", "object"},
		{"required", []string{"apiVersion", "kind", "metadata", "spec"}},
		{"properties", object{
			{"apiVersion", object{{"description", "Version of the language."}, {"const", program.APIVersion}}},
			{"kind", object{{"description", "What the document defines."}, {"enum", parse.Kinds()}}},
			{"metadata", b.value("metadata", metadata)},
			{"spec", object{{"description", "What it says; depends on the kind."}}},
		}},
		{"additionalProperties", false},
	}
	var cases []any
	definitions := scalars()
	// The schema of spec depends on kind: one definition and one condition for each kind.
	for _, kind := range parse.Kinds() {
		shape, err := parse.ShapeOf(kind)
		if err != nil {
			return nil, err
		}
		definitions = append(definitions, member{kind, b.value(kind, shape)})
		cases = append(cases, object{
			{"if", object{
				{"properties", object{{"kind", object{{"const", kind}}}}},
				{"required", []string{"kind"}},
			}},
			{"then", object{{"properties", object{{"spec", ref(kind)}}}}},
		})
	}
	root = append(root, member{"allOf", cases}, member{"$defs", definitions})
	if err := b.unused(); err != nil {
		return nil, err
	}
	// json.Indent works on bytes, so it keeps the order of members.
	compact, err := plain(root)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, compact, "", " "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// ref returns a reference to a definition of the schema.
func ref(name string) object { return object{{"$ref", "#/$defs/" + name}} }

// builder turns shapes of the parser into schemas.
type builder struct {
	// descriptions maps paths to texts.
	descriptions map[string]string
	// lines has the paths of the descriptions in the order of the file, for errors in that
	// order.
	lines []string
	// used has the descriptions that a field took, missing the fields without one.
	used    map[string]bool
	missing []string
}

// newBuilder reads the descriptions, one "path: text" a line. A line that begins with # is
// a comment; a path that is described twice is an error.
func newBuilder(text string) (*builder, error) {
	b := &builder{descriptions: map[string]string{}, used: map[string]bool{}}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		path, description, ok := strings.Cut(line, ": ")
		if _, twice := b.descriptions[path]; twice || !ok {
			return nil, fmt.Errorf("descriptions.txt: not understood, or there already: %s", line)
		}
		b.descriptions[path] = description
		b.lines = append(b.lines, path)
	}
	return b, nil
}

// describe returns the description of a path: its own, or else that of the longest end of
// it ("*.where" describes the field where of every object).
func (b *builder) describe(path string) string {
	// key is looked up: the whole path first, then "*." and what is left after each name is
	// cut off.
	key := path
	for rest := path; ; {
		if text, ok := b.descriptions[key]; ok {
			b.used[key] = true
			return text
		}
		_, after, ok := strings.Cut(rest, ".")
		if !ok {
			b.missing = append(b.missing, path)
			return ""
		}
		key, rest = "*."+after, after
	}
}

// unused returns an error for each field without a description and for each description
// without a field, so that the texts keep up with the parser.
func (b *builder) unused() error {
	var errs []error
	for _, path := range b.missing {
		errs = append(errs, fmt.Errorf("descriptions.txt: no line for %s", path))
	}
	for _, path := range b.lines {
		if !b.used[path] {
			errs = append(errs, fmt.Errorf("descriptions.txt: no field %s", path))
		}
	}
	return errors.Join(errs...)
}

// value returns the schema of a shape. path names its place, for the description and for
// what fields require of each other. Shapes with parts are written out; single values refer
// to the definitions of scalars, so that each is in the schema once.
func (b *builder) value(path string, s *parse.Shape) object {
	switch s.Kind {
	case parse.ShapeObject:
		return b.object(path, s)
	case parse.ShapeMap:
		return b.mapping(path, s)
	case parse.ShapeList:
		o := object{{"type", "array"}}
		if n := leastItems(path); n > 0 {
			o = append(o, member{"minItems", n})
		}
		return append(o, member{"maxItems", s.Most}, member{"items", b.value(path, s.Item)})
	// A field that may have several forms, such as a text or a list of texts.
	case parse.ShapeAny:
		var all []object
		for i := range s.Any {
			all = append(all, b.value(path, &s.Any[i]))
		}
		return object{{"anyOf", all}}
	case parse.ShapeNull:
		return object{{"type", "null"}}
	case parse.ShapeJSON:
		return object{}
	case parse.ShapeWord:
		return object{{"type", "string"}, {"enum", s.Words}}
	case parse.ShapeBoolean:
		return object{{"type", "boolean"}}
	case parse.ShapeInteger:
		return object{{"type", "integer"}, {"minimum", s.Low}, {"maximum", s.High}}
	case parse.ShapeNumber:
		o := object{{"type", "number"}, {"minimum", s.Low}, {"maximum", s.High}}
		if s.Step != 0 {
			o = append(o, member{"multipleOf", s.Step})
		}
		return o
	case parse.ShapeText:
		if s.Least == 0 {
			return ref("emptyText")
		}
	default:
	}
	return ref(string(s.Kind)) // one of scalars
}

// object returns the schema of an object with its fields. Unknown fields are refused, as by
// the parser.
func (b *builder) object(path string, s *parse.Shape) object {
	properties := object{}
	var required []string
	for _, f := range s.Fields {
		at := path + "." + f.Name
		// The description comes first, where editors and readers look.
		described := append(object{{"description", b.describe(at)}}, b.value(at, f.Shape)...)
		properties = append(properties, member{f.Name, described})
		if f.Required {
			required = append(required, f.Name)
		}
	}
	o := object{{"type", "object"}}
	if len(required) > 0 {
		o = append(o, member{"required", required})
	}
	return append(append(o, member{"properties", properties}, member{"additionalProperties", false}),
		together(path, s)...)
}

// mapping returns the schema of an object whose keys the author chooses.
func (b *builder) mapping(path string, s *parse.Shape) object {
	o := object{{"type", "object"}}
	// Names that other fields refer to follow the rule for names; other keys are free.
	if s.Key == parse.ShapeName {
		o = append(o, member{"propertyNames", object{{"pattern", program.NamePattern}}})
	}
	if s.Least > 0 {
		o = append(o, member{"minProperties", s.Least})
	}
	if s.Most > 0 {
		o = append(o, member{"maxProperties", s.Most})
	}
	return append(o, member{"additionalProperties", b.value(path, s.Item)})
}
