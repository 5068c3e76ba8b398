package parse

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/nearest"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/campaign/yamltext"
	"github.com/nudge-engine/nudge/campaign/zone"
)

// maxListItems bounds every list of a definition except steps, which have a
// limit of their own.
const maxListItems = 1000

// reader turns YAML nodes into values and gathers every error with its place. It knows what an
// object, a name or a duration is, and nothing of triggers or verbs: those who read them hold it, see
// readers.go.
type reader struct {
	// file is the name for error messages.
	file string
	// source is the text, by which places inside of values are found.
	source *yamltext.Text
	lang   *expr.Language
	// errs has all errors of the file so far.
	errs Errors
	// spots are the places of what is checked when all documents are read; see Spot.
	spots map[Spot]*yaml.Node
	// kind is the kind of the current document.
	kind string
	// draw is set while the parser tells what it takes, instead of reading; see Shape.
	draw *drawing
	// unsupported is what the current document has and no server can do yet.
	unsupported Errors
	// flawed are the fields that could not be read, of the last object of each name: what
	// depends on one is not checked, so that one mistake is told once. "?" stands for a
	// field that the object does not have.
	flawed map[string]map[string]bool
}

// flaw notes that a field could not be read.
func (r *reader) flaw(what, field string) {
	if r.flawed[what] == nil {
		r.flawed[what] = map[string]bool{}
	}
	r.flawed[what][field] = true
}

// fail reports an error at the beginning of a node.
func (r *reader) fail(n *yaml.Node, format string, args ...any) {
	r.errs = append(r.errs, &Error{File: r.file, Line: n.Line, Column: n.Column, Message: fmt.Sprintf(format, args...)})
}

// failAt reports an error at a byte of a scalar's value.
func (r *reader) failAt(n *yaml.Node, offset int, format string, args ...any) {
	p, _ := r.source.Place(n, offset)
	r.errs = append(r.errs, &Error{File: r.file, Line: p.Line, Column: p.Column, Message: fmt.Sprintf(format, args...)})
}

// spot notes a place for checks against other documents.
func (r *reader) spot(m Spot, n *yaml.Node) {
	if r.draw == nil {
		r.spots[m] = n
	}
}

// field is one member that an object may have.
type field struct {
	name     string
	required bool
	// later says that the field is part of the language, and not of this version: it has its own
	// error.
	later bool
	read  func(n *yaml.Node)
}

// object reads a mapping whose members are exactly the given fields, and calls read for each that
// is there. It reports members that are unknown, missing or repeated. what names the object in
// messages, and is its key in flawed.
func (r *reader) object(n *yaml.Node, what string, fields ...field) {
	if r.draw != nil {
		r.drawObject(fields)
		return
	}
	delete(r.flawed, what)
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		r.fail(n, "%s: anchors and aliases are not allowed; write it out", what)
		return
	}
	if n.Kind != yaml.MappingNode {
		hint := insteadOf(n, yaml.MappingNode)
		// "wait: 2h" where an object is needed: show the object.
		if hint == "" && n.Kind == yaml.ScalarNode {
			hint = r.wrapped(n, fields)
		}
		r.fail(n, "%s must be an object with %s%s", what, fieldNames(fields), hint)
		return
	}
	seen, meant := map[string]bool{}, map[string]bool{}
	var unknown []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := slices.IndexFunc(fields, func(f field) bool { return f.name == key.Value })
		switch {
		case at < 0:
			unknown = append(unknown, key, value)
			if len(unknown) > 2*maxErrors {
				continue
			}
			// The field that was meant is not reported as missing too.
			near := meantField(key.Value, fields)
			meant[near] = true // it is not missing too
			r.flaw(what, cmp.Or(near, "?"))
			continue
		case seen[key.Value] && what == "document":
			r.fail(key, "document: field %q is given twice; between two documents stands a line with ---", key.Value)
			return
		case seen[key.Value]:
			r.fail(key, "%s: field %q is given twice; remove one", what, key.Value)
		case value.Kind == yaml.AliasNode:
			r.fail(value, "%s: anchors and aliases are not allowed; write it out%s", what, quoteHint(value))
		case fields[at].later:
			r.fail(key, "%s: field %q is not supported yet; remove it", what, key.Value)
		default:
			before := len(r.errs)
			if fields[at].read(value); len(r.errs) > before {
				r.flaw(what, key.Value)
			}
		}
		seen[key.Value] = true
	}
	var missing []string
	for _, f := range fields {
		if f.required && !seen[f.name] && !meant[f.name] {
			missing = append(missing, f.name)
			r.flaw(what, f.name)
		}
	}
	if len(unknown) == 2 && len(missing) == 1 && what != "document" { // one for the other
		r.unknownField(n, unknown[0], unknown[1], what, fields, missing[0], seen)
		return
	}
	for i := 0; i < len(unknown); i += 2 {
		r.unknownField(n, unknown[i], unknown[i+1], what, fields, "", seen)
	}
	for _, name := range missing {
		r.fail(n, "%s: field %q is missing%s", what, name, example(what, name))
	}
}

// fieldNames lists the fields of this version, for messages.
func fieldNames(fields []field) string {
	names := make([]string, 0, len(fields))
	for _, f := range fields {
		if !f.later {
			names = append(names, f.name)
		}
	}
	return strings.Join(names, ", ")
}

// later returns fields that are not supported yet.
func later(names ...string) []field {
	fields := make([]field, len(names))
	for i, name := range names {
		fields[i] = field{name: name, later: true}
	}
	return fields
}

// list reads a sequence: it calls each with one element after the other. More than limit elements
// are an error.
func (r *reader) list(n *yaml.Node, what string, limit int, each func(n *yaml.Node)) {
	if r.draw != nil {
		r.drawList(limit, each)
		return
	}
	if n.Kind != yaml.SequenceNode {
		r.fail(n, "%s must be a list%s", what, insteadOf(n, yaml.SequenceNode))
		return
	}
	if len(n.Content) > limit {
		r.fail(n, "%s has %d items; at most %d are allowed", what, len(n.Content), limit)
		return
	}
	for _, item := range n.Content {
		each(item)
	}
}

// scalar reads a text. Numbers and booleans count as texts, since authors leave out the quotes;
// false is returned after an error, and while shapes are drawn.
func (r *reader) scalar(n *yaml.Node, what string) (string, bool) {
	if r.drawn(Shape{Kind: ShapeText}) {
		return "", false
	}
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" || n.Anchor != "" || ownTag(n) {
		r.fail(n, "%s must be a text%s", what, noText(n, what))
		return "", false
	}
	return n.Value, true
}

// text reads a scalar that must not be empty.
func (r *reader) text(n *yaml.Node, what string, into *string) {
	if r.drawn(Shape{Kind: ShapeText, Least: 1}) {
		return
	}
	if s, ok := r.scalar(n, what); ok {
		if s == "" {
			r.fail(n, "%s must not be empty", what)
		}
		*into = s
	}
}

// name reads an identifier, see program.NamePattern.
func (r *reader) name(n *yaml.Node, what string, into *string) {
	if r.drawn(Shape{Kind: ShapeName}) {
		return
	}
	if s, ok := r.scalar(n, what); ok {
		if err := CheckName(s); err != nil {
			r.fail(n, "%s %v", what, err)
		}
		*into = s
	}
}

// boolean reads true or false. "yes" and "on" are texts in YAML 1.2, and are refused with a hint.
func (r *reader) boolean(n *yaml.Node, what string, into *bool) {
	if r.drawn(Shape{Kind: ShapeBoolean}) {
		return
	}
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
		r.fail(n, "%s must be true or false%s", what, booleanHint(n))
		return
	}
	*into = n.Value == "true" || n.Value == "True" || n.Value == "TRUE"
}

// integer reads a whole number from low to high, and returns low after an error.
func (r *reader) integer(n *yaml.Node, what string, low, high int64) int64 {
	if r.drawn(Shape{Kind: ShapeInteger, Low: float64(low), High: float64(high)}) {
		return low
	}
	v, err := strconv.ParseInt(n.Value, 10, 64)
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" || err != nil || v < low || v > high {
		r.fail(n, "%s must be a whole number from %d to %d%s", what, low, high, numberHint(n))
		return low
	}
	return v
}

// duration reads a duration of more than zero as ms: "7d" -> 604800000.
func (r *reader) duration(n *yaml.Node, what string, into *int64) {
	if r.drawn(Shape{Kind: ShapeDuration}) {
		return
	}
	s, ok := r.scalar(n, what)
	if !ok {
		return
	}
	d, err := unit.ParseDuration(s)
	switch {
	case err != nil:
		r.fail(n, "%s: %v", what, err)
	case d == 0:
		r.fail(n, "%s must be more than zero", what)
	default:
		*into = d
	}
}

// zone reads the name of a time zone, or an offset such as UTC+02:00.
func (r *reader) zone(n *yaml.Node, what string, into *string) {
	if r.drawn(Shape{Kind: ShapeZone}) {
		return
	}
	s, ok := r.scalar(n, what)
	if !ok {
		return
	}
	if _, err := zone.Load(s); err != nil {
		r.fail(n, "%s: there is no zone %q; write a name like Europe/Kyiv, or an offset like UTC+02:00%s", what, s,
			zoneHint(s))
		return
	}
	*into = s
}

// choice reads one of the given words and returns its index, 0 after an error. Callers convert the
// index to a constant, so the words are in the order of the constants.
func (r *reader) choice(n *yaml.Node, what string, words ...string) int {
	if r.drawn(Shape{Kind: ShapeWord, Words: words}) {
		return 0
	}
	s, ok := r.scalar(n, what)
	if !ok {
		return 0
	}
	i := slices.Index(words, s)
	if i < 0 {
		r.fail(n, "%s %q is unknown; use %s%s", what, s, strings.Join(words, ", "), nearest.Hint(s, words))
		return 0
	}
	return i
}

// expr reads and compiles an expression; predicate says that it must yield true or false. into
// stays nil after an error.
func (r *reader) expr(n *yaml.Node, what string, predicate bool, into **expr.Expr) {
	if r.drawn(Shape{Kind: map[bool]ShapeKind{false: ShapeExpression, true: ShapePredicate}[predicate]}) {
		return
	}
	s, ok := r.scalar(n, what)
	if !ok {
		return
	}
	want := celBool(predicate)
	e, err := r.lang.Compile(s, want)
	if err != nil {
		r.failExpr(n, what, err)
		return
	}
	*into = e
}

// failExpr reports what is wrong with an expression, at the places inside of its text where they
// are known.
func (r *reader) failExpr(n *yaml.Node, what string, err error) {
	var at expr.Errors
	if !errors.As(err, &at) {
		r.fail(n, "%s: %v", what, err)
		return
	}
	for _, e := range at {
		r.failAt(n, e.Offset, "%s: %s%s", what, e.Message, r.cutShort(n))
	}
}
