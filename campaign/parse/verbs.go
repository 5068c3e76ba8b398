package parse

import (
	"math"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/nudge-engine/nudge/campaign/jsonvalue"
	"github.com/nudge-engine/nudge/campaign/program"
)

// Limits of what one step may write or repeat.
const (
	// maxAssigns bounds the number of traits or properties that one step sets.
	maxAssigns = 100
	// maxNameBytes bounds the length in bytes of the name of a trait, property, tag or event.
	maxNameBytes = 200
	// maxLoop bounds how often a chain may go back to one step.
	maxLoop = 100
)

// weekdays in the order of time.Weekday.
//
//nudge:constant read only
var weekdays = [7]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// until reads {at, days, zone}; without days every day counts.
func (r *stepReader) until(n *yaml.Node) *program.Until {
	u := new(program.Until)
	r.core.object(n, "until",
		field{name: "at", required: true, read: func(n *yaml.Node) { r.core.clock(n, "until.at", &u.Minute) }},
		field{name: "days", read: func(n *yaml.Node) {
			r.core.list(n, "until.days", 7, func(n *yaml.Node) {
				u.Days = u.Days.Add(time.Weekday(r.core.choice(n, "until.days", weekdays[:]...)))
			})
			if u.Days == 0 && n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
				r.core.fail(n, "until.days: name at least one day, or leave it out for every day")
			}
		}},
		field{name: "zone", read: func(n *yaml.Node) {
			if n.Value != "customer" {
				r.core.zone(n, "until.zone", &u.Zone)
			}
		}})
	return u
}

// setProfile reads {traits, tags}; tags is a list of those to add, or {add, remove}.
func (r *stepReader) setProfile(n *yaml.Node) *program.SetProfile {
	s, before := new(program.SetProfile), len(r.core.errs)
	r.core.object(n, "set",
		field{name: "traits", read: func(n *yaml.Node) { s.Traits = r.assigns(n, "set.traits") }},
		field{name: "tags", read: func(n *yaml.Node) {
			if n.Kind == yaml.SequenceNode {
				s.Add = r.texts(n, "set.tags")
				return
			}
			r.core.object(n, "set.tags",
				field{name: "add", read: func(n *yaml.Node) { s.Add = r.texts(n, "set.tags.add") }},
				field{name: "remove", read: func(n *yaml.Node) { s.Remove = r.texts(n, "set.tags.remove") }})
		}})
	if len(s.Traits)+len(s.Add)+len(s.Remove) == 0 && len(r.core.errs) == before {
		r.core.fail(n, "set: needs traits, or tags, or both")
	}
	return s
}

// emit reads {event, properties}. Names that begin with $ are those of the engine's own events.
func (r *stepReader) emit(n *yaml.Node) *program.Emit {
	e := new(program.Emit)
	r.core.object(n, "emit",
		field{name: "event", required: true, read: func(n *yaml.Node) {
			r.core.text(n, "emit.event", &e.Event)
			if strings.HasPrefix(e.Event, "$") || len(e.Event) > maxNameBytes {
				r.core.fail(n, "emit.event: a name of at most %d bytes that does not begin with $", maxNameBytes)
			}
		}},
		field{name: "properties", read: func(n *yaml.Node) { e.Properties = r.assigns(n, "emit.properties") }})
	return e
}

// start reads {campaign}. Whether there is such a campaign is not known here.
func (r *stepReader) start(n *yaml.Node) *program.Start {
	s := new(program.Start)
	r.core.object(n, "start", field{name: "campaign", required: true, read: func(n *yaml.Node) {
		r.core.name(n, "start.campaign", &s.Campaign)
	}})
	return s
}

// loop reads {max}, how often a chain may come back to the step.
func (r *stepReader) loop(n *yaml.Node, into *uint32) {
	r.core.object(n, "loop", field{name: "max", required: true, read: func(n *yaml.Node) {
		*into = uint32(r.core.integer(n, "loop.max", 1, maxLoop))
	}})
	*into = max(*into, 1) // where max is missing there is an error already
}

// texts reads a list of short texts, such as tags.
func (r *stepReader) texts(n *yaml.Node, what string) (all []string) {
	r.core.list(n, what, maxAssigns, func(n *yaml.Node) {
		var name string
		r.core.text(n, what, &name)
		if len(name) > maxNameBytes {
			r.core.fail(n, "%s: a name has at most %d bytes", what, maxNameBytes)
		}
		all = append(all, name)
	})
	return all
}

// assigns reads an object of values: literals, or {cel: expression}. For example, {level: gold,
// total: {cel: event.properties.total}}.
func (r *stepReader) assigns(n *yaml.Node, what string) (all []program.Assign) {
	if r.core.drawn(Shape{Kind: ShapeMap, Key: ShapeText, Most: maxAssigns, Item: &Shape{Kind: ShapeJSON}}) {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		r.core.fail(n, "%s must be an object of values", what)
		return nil
	}
	if len(n.Content) > 2*maxAssigns {
		r.core.fail(n, "%s has more than %d values", what, maxAssigns)
		return nil
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		a := program.Assign{Name: key.Value}
		switch {
		case key.Kind != yaml.ScalarNode || a.Name == "" || len(a.Name) > maxNameBytes:
			r.core.fail(key, "%s: a name is a text of 1 to %d bytes", what, maxNameBytes)
		case seen[a.Name]:
			r.core.fail(key, "%s: %q is given twice", what, a.Name)
		case value.Kind == yaml.MappingNode && len(value.Content) == 2 && value.Content[0].Value == "cel":
			r.core.expr(value.Content[1], what+"."+a.Name, false, &a.Expr)
		default:
			a.Literal = r.jsonLiteral(nil, value, what+"."+a.Name)
		}
		seen[a.Name] = true
		all = append(all, a)
	}
	return all
}

// jsonLiteral appends a YAML value as JSON, with members in the order written.
func (r *stepReader) jsonLiteral(b []byte, n *yaml.Node, what string) []byte {
	switch n.Kind {
	case yaml.SequenceNode:
		b = append(b, '[')
		for i, item := range n.Content {
			if i > 0 {
				b = append(b, ',')
			}
			b = r.jsonLiteral(b, item, what)
		}
		return append(b, ']')
	case yaml.MappingNode:
		b = append(b, '{')
		for i := 0; i+1 < len(n.Content); i += 2 {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(jsonvalue.AppendString(b, n.Content[i].Value), ':')
			b = r.jsonLiteral(b, n.Content[i+1], what)
		}
		return append(b, '}')
	case yaml.ScalarNode:
		return r.literalScalar(b, n, what)
	default:
		r.core.fail(n, "%s: anchors and aliases are not allowed; write it out", what)
		return append(b, "null"...)
	}
}

// literalScalar appends a YAML scalar as JSON. Whole numbers keep all their digits.
func (r *stepReader) literalScalar(b []byte, n *yaml.Node, what string) []byte {
	switch n.Tag {
	case "!!null":
		return append(b, "null"...)
	case "!!bool":
		var v bool
		r.core.boolean(n, what, &v)
		return strconv.AppendBool(b, v)
	case "!!int":
		v, err := strconv.ParseInt(n.Value, 0, 64)
		if err != nil {
			r.core.fail(n, "%s: %q is no whole number of 64 bits", what, n.Value)
		}
		return strconv.AppendInt(b, v, 10)
	case "!!float":
		v, err := strconv.ParseFloat(n.Value, 64)
		if err != nil || math.IsInf(v, 0) || math.IsNaN(v) {
			r.core.fail(n, "%s: %q is no number", what, n.Value)
			return append(b, '0')
		}
		return strconv.AppendFloat(b, v, 'f', -1, 64)
	default:
		return jsonvalue.AppendString(b, n.Value)
	}
}
