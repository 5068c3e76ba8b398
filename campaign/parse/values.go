package parse

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/google/cel-go/cel"
	"go.yaml.in/yaml/v3"

	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/zone"
)

// This file reads values that several parts of the language have in common.

// matcher reads what goals, stops and waits have in common: {event, where, match}, and goto for
// waits.
func (r *reader) matcher(n *yaml.Node, what string, m *program.Matcher, withGoto bool) {
	fields := r.matcherFields(what, m)
	if withGoto {
		fields = append(fields, field{name: "goto", read: func(n *yaml.Node) { r.name(n, what+".goto", &m.Goto) }})
	}
	r.object(n, what, fields...)
}

// matcherFields returns these fields, for objects that have more.
func (r *reader) matcherFields(what string, m *program.Matcher) []field {
	return []field{
		{name: "event", required: true, read: func(n *yaml.Node) { r.text(n, what+".event", &m.Event) }},
		{name: "where", read: func(n *yaml.Node) { r.expr(n, what+".where", true, &m.Where) }},
		{name: "match", read: func(n *yaml.Node) { r.text(n, what+".match", &m.Match) }},
	}
}

// gotoObject reads {goto: step} and returns the step.
func (r *reader) gotoObject(n *yaml.Node, what string) (target string) {
	r.object(
		n,
		what,
		field{name: "goto", required: true, read: func(n *yaml.Node) { r.name(n, what+".goto", &target) }},
	)
	return target
}

// maxMessageFields bounds the texts of a message.
const maxMessageFields = 64

// messageFields reads texts by name: subject, title, body and what else a channel takes, in the
// order written.
func (r *reader) messageFields(n *yaml.Node, what string, into *[]program.Field) {
	if r.drawn(Shape{Kind: ShapeMap, Key: ShapeName, Least: 1, Most: maxMessageFields, Item: &Shape{Kind: ShapeText}}) {
		return
	}
	if n.Kind != yaml.MappingNode || len(n.Content) == 0 {
		r.fail(n, "%s must be an object of texts, for example {subject: ..., body: ...}", what)
		return
	}
	if len(n.Content) > 2*maxMessageFields {
		r.fail(n, "%s has more than %d texts", what, maxMessageFields)
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		var f program.Field
		r.name(n.Content[i], what+" field", &f.Name)
		value := n.Content[i+1]
		// {body: Hi, Ann} is an object with a field Ann to YAML.
		if value.Tag == "!!null" && value.Value == "" && n.Style&yaml.FlowStyle != 0 {
			r.fail(n.Content[i], "%s: a text with a comma in it needs quotes", what)
			return
		}
		if s, ok := r.scalar(value, fmt.Sprintf("%s.%s", what, f.Name)); ok {
			f.Source = s
			r.spot(Spot{Field: "text", Name: f.Name}, value)
		}
		if seen[f.Name] {
			r.fail(n.Content[i], "%s: field %q is given twice", what, f.Name)
		}
		seen[f.Name] = true
		*into = append(*into, f)
	}
}

// names reads a list of identifiers, each at most once.
func (r *reader) names(n *yaml.Node, what string, into *[]string) {
	seen := map[string]bool{}
	r.list(n, what, maxListItems, func(n *yaml.Node) {
		var name string
		if r.name(n, what, &name); seen[name] {
			r.fail(n, "%s: %q is named twice", what, name)
		}
		seen[name] = true
		*into = append(*into, name)
	})
}

// number reads a finite number up to maxNumber on both sides of 0.
func (r *reader) number(n *yaml.Node, what string, into *float64) {
	if r.drawn(Shape{Kind: ShapeNumber, Low: -maxNumber, High: maxNumber}) {
		return
	}
	f, err := strconv.ParseFloat(n.Value, 64)
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" && n.Tag != "!!float" || err != nil ||
		math.IsNaN(f) || math.Abs(f) > maxNumber {
		r.fail(n, "%s must be a number between -1e15 and 1e15%s", what, numberHint(n))
		return
	}
	*into = f
}

// clock reads a time of day as minutes, "09:30" -> 570; 24:00 is refused, since it is 0:00 of the
// next day.
func (r *reader) clock(n *yaml.Node, what string, into *int) {
	if r.drawn(Shape{Kind: ShapeClock}) {
		return
	}
	minute, ok := zone.ParseClock(n.Value)
	if n.Kind != yaml.ScalarNode || !ok || minute == 24*60 {
		r.fail(n, "%s %q is no time of day; write %s", what, n.Value, clockHint(n.Value, "09:00"))
		return
	}
	*into = minute
}

// clock24 reads a time of day as minutes; 24:00 is the end of the day.
func (r *reader) clock24(n *yaml.Node, what string, into *int) (ok bool) {
	if r.drawn(Shape{Kind: ShapeClock}) {
		return false
	}
	s, ok := r.scalar(n, what)
	if !ok {
		return false
	}
	minute, ok := zone.ParseClock(s)
	if !ok {
		r.fail(n, `%s %q is no time of day; write %s`, what, s, clockHint(s, "21:00"))
		return false
	}
	*into = minute
	return true
}

// instant reads a time with its offset from UTC, as Unix ms. It must be after 1970, because 0
// stands for none.
func (r *reader) instant(n *yaml.Node, what string, into *int64) {
	if r.drawn(Shape{Kind: ShapeInstant}) {
		return
	}
	if n.Kind != yaml.ScalarNode {
		r.fail(n, "%s must be a time, for example 2026-03-01T00:00:00Z", what)
		return
	}
	t, err := time.Parse(time.RFC3339Nano, n.Value)
	if err != nil || t.UnixMilli() <= 0 {
		r.fail(n, "%s %q is no time; write %s", what, n.Value, instantHint(n.Value))
		return
	}
	*into = t.UnixMilli()
}

// gives reports an expression whose type is known and is none of types; words say which are needed.
func (r *reader) gives(n *yaml.Node, what string, e *expr.Expr, words string, types ...*cel.Type) {
	if e != nil && !slices.ContainsFunc(append(types, cel.DynType), e.Output.IsExactType) {
		r.fail(n, "%s: the expression gives %s, not %s", what, expr.PlainType(e.Output.String()), words)
	}
}

// numeric reports whether a type is a number, or known only when the expression is evaluated.
func numeric(t *cel.Type) bool {
	return t.IsExactType(cel.IntType) || t.IsExactType(cel.DoubleType) || t.IsExactType(cel.DynType)
}
