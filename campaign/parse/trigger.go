package parse

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/jsonvalue"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
)

// The greatest numbers that a trigger may write.
const (
	// maxStreak bounds the events of a streak; the customer keeps a mark for each.
	maxStreak = 1000
	// maxPath bounds the number of names in the path of an attribute.
	maxPath = 16
	// maxNumber bounds numbers: doubles are exact to a unit up to 9e15.
	maxNumber = 1e15
)

// event reads {name, where}.
func (r *triggerReader) event(n *yaml.Node) *program.EventTrigger {
	t := new(program.EventTrigger)
	r.core.object(n, "trigger.event",
		field{name: "name", required: true, read: func(n *yaml.Node) { r.core.text(n, "name", &t.Name) }},
		field{name: "where", read: func(n *yaml.Node) { r.core.expr(n, "where", true, &t.Where) }})
	return t
}

// count reads {event, where, reaches}.
func (r *triggerReader) count(n *yaml.Node) *program.CountTrigger {
	t := new(program.CountTrigger)
	r.core.object(n, "trigger.count",
		field{name: "event", required: true, read: func(n *yaml.Node) { r.core.text(n, "event", &t.Event) }},
		field{name: "where", read: func(n *yaml.Node) { r.core.expr(n, "where", true, &t.Where) }},
		field{name: "reaches", required: true, read: func(n *yaml.Node) {
			t.Reaches = uint64(r.core.integer(n, "reaches", 1, 1_000_000_000))
		}})
	return t
}

// inactivity reads {event, where, for, never_done}.
func (r *triggerReader) inactivity(n *yaml.Node) *program.InactivityTrigger {
	t := new(program.InactivityTrigger)
	r.core.object(n, "trigger.inactivity",
		field{name: "event", required: true, read: func(n *yaml.Node) { r.core.text(n, "event", &t.Event) }},
		field{name: "where", read: func(n *yaml.Node) { r.core.expr(n, "where", true, &t.Where) }},
		field{name: "for", required: true, read: func(n *yaml.Node) { r.core.duration(n, "for", &t.For) }},
		field{name: "never_done", read: func(n *yaml.Node) {
			t.FromProfile = r.core.choice(n, "never_done", "ignore", "from_profile_created") == 1
		}})
	return t
}

// streak reads {event, where, length, max_gap, break_on}.
func (r *triggerReader) streak(n *yaml.Node) *program.StreakTrigger {
	t := &program.StreakTrigger{Length: 1}
	r.core.object(n, "trigger.streak",
		field{name: "event", required: true, read: func(n *yaml.Node) { r.core.text(n, "event", &t.Event) }},
		field{name: "where", read: func(n *yaml.Node) { r.core.expr(n, "where", true, &t.Where) }},
		field{name: "length", required: true, read: func(n *yaml.Node) {
			t.Length = int(r.core.integer(n, "length", 2, maxStreak))
		}},
		field{name: "max_gap", read: func(n *yaml.Node) { r.core.duration(n, "max_gap", &t.MaxGap) }},
		field{name: "break_on", read: func(n *yaml.Node) {
			t.BreakOn = new(program.Matcher)
			if n.Kind == yaml.ScalarNode {
				r.core.text(n, "break_on", &t.BreakOn.Event)
				return
			}
			r.core.object(n, "break_on",
				field{name: "event", required: true, read: func(n *yaml.Node) {
					r.core.text(n, "break_on.event", &t.BreakOn.Event)
				}},
				field{name: "where", read: func(n *yaml.Node) {
					r.core.expr(n, "break_on.where", true, &t.BreakOn.Where)
				}})
		}})
	// length and max_gap are left out: a change of them goes on with the marks that are there.
	parts := []string{"streak", t.Event, expr.SourceOf(t.Where)}
	if t.BreakOn != nil {
		parts = append(parts, t.BreakOn.Event, expr.SourceOf(t.BreakOn.Where))
	}
	t.Spec = specID(parts...)
	return t
}

// threshold reads {value, crosses, at, hysteresis}.
func (r *triggerReader) threshold(n *yaml.Node) *program.ThresholdTrigger {
	t, value := new(program.ThresholdTrigger), n
	r.core.object(n, "trigger.threshold",
		field{name: "value", required: true, read: func(n *yaml.Node) {
			value = n
			r.customerExpr(n, "value", false, &t.Value)
			if t.Value != nil && !numeric(t.Value.Output) {
				r.core.fail(n, "value: the expression gives %s, not a number", expr.PlainType(t.Value.Output.String()))
			}
		}},
		field{name: "crosses", required: true, read: func(n *yaml.Node) {
			t.Down = r.core.choice(n, "crosses", "up", "down") == 1
		}},
		field{name: "at", required: true, read: func(n *yaml.Node) { r.core.number(n, "at", &t.At) }},
		field{name: "hysteresis", read: func(n *yaml.Node) {
			if r.core.number(n, "hysteresis", &t.Hysteresis); t.Hysteresis < 0 {
				r.core.fail(n, "hysteresis must not be negative")
			}
		}})
	r.valueClock(value, "value", t.Value, &t.Clock)
	t.Spec = specID("threshold", expr.SourceOf(t.Value), strconv.FormatBool(t.Down), float(t.At), float(t.Hysteresis))
	return t
}

// segment reads {when, on}. on is not part of the spec: the side on which a customer is means the
// same.
func (r *triggerReader) segment(n *yaml.Node) *program.SegmentTrigger {
	t, when := new(program.SegmentTrigger), n
	r.core.object(n, "trigger.segment",
		field{name: "when", required: true, read: func(n *yaml.Node) {
			when = n
			r.customerExpr(n, "when", true, &t.When)
		}},
		field{name: "on", read: func(n *yaml.Node) { t.OnLeave = r.core.choice(n, "on", "enter", "leave") == 1 }})
	r.valueClock(when, "when", t.When, &t.Clock)
	t.Spec = specID("segment", expr.SourceOf(t.When))
	return t
}

// change reads {path, from, to}.
func (r *triggerReader) change(n *yaml.Node) *program.ChangeTrigger {
	t := new(program.ChangeTrigger)
	r.core.object(n, "trigger.change",
		field{name: "path", required: true, read: func(n *yaml.Node) { t.Path = r.traitPath(n, "path") }},
		field{name: "from", read: func(n *yaml.Node) { t.From = r.literal(n, "from") }},
		field{name: "to", read: func(n *yaml.Node) { t.To = r.literal(n, "to") }})
	if len(t.Path) == 0 && (t.From != nil || t.To != nil) {
		r.core.fail(n, "trigger.change: from and to need the path of one attribute, for example customer.traits.level")
	}
	return t
}

// traitPath reads the path of an attribute, customer.traits.address.city -> [address city];
// customer.traits alone stands for any attribute.
func (r *triggerReader) traitPath(n *yaml.Node, what string) []string {
	if r.core.drawn(Shape{Kind: ShapeTrait}) {
		return nil
	}
	s, ok := r.core.scalar(n, what)
	if !ok {
		return nil
	}
	parts := strings.Split(s, ".")
	bad := len(parts) < 2 || parts[0] != "customer" || parts[1] != "traits" || len(parts) > maxPath+2
	for _, p := range parts {
		bad = bad || p == ""
	}
	if bad {
		r.core.fail(n, "%s %q is no attribute; write for example customer.traits.level", what, s)
		return nil
	}
	return parts[2:]
}

// literal reads a scalar as JSON; nil after an error.
func (r *triggerReader) literal(n *yaml.Node, what string) *program.Literal {
	if r.core.drawn(Shape{Kind: ShapeLiteral}) {
		return nil
	}
	if n.Kind == yaml.ScalarNode {
		switch n.Tag {
		case "!!null":
			return &program.Literal{JSON: "null"}
		case "!!bool":
			var b bool
			r.core.boolean(n, what, &b)
			return &program.Literal{JSON: strconv.FormatBool(b)}
		case "!!int", "!!float":
			var f float64
			r.core.number(n, what, &f)
			if v, err := strconv.ParseInt(n.Value, 10, 64); err == nil {
				return &program.Literal{JSON: strconv.FormatInt(v, 10)}
			}
			return &program.Literal{JSON: float(f)}
		case "!!str":
			return &program.Literal{JSON: string(jsonvalue.AppendString(nil, n.Value))}
		}
	}
	r.core.fail(n, "%s must be a text, a number, true, false or null", what)
	return nil
}

// customerExpr reads an expression over the customer alone: a timer may evaluate it, when there is
// no event.
func (r *triggerReader) customerExpr(n *yaml.Node, what string, predicate bool, into **expr.Expr) {
	r.core.expr(n, what, predicate, into)
	if *into != nil && (*into).Reads.Record {
		r.core.fail(n, "%s must look at customer and now only, not at event, trigger or chain", what)
	}
}

// valueClock finds out when the value of a trigger changes with time; it reports a use of now for
// which that cannot be known.
func (r *triggerReader) valueClock(n *yaml.Node, what string, e *expr.Expr, into *expr.ValueClock) {
	if e == nil {
		return
	}
	c, err := r.core.lang.Clock(e)
	if err != nil {
		r.core.failExpr(n, what, err)
	}
	*into = c
}

// float writes a number in the shortest form that reads back the same.
func float(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

// specID returns a hash of what makes two versions of a trigger mean the same, so that what a
// customer's state says about one holds for the other. It is stored with customers.
func specID(parts ...string) uint64 {
	id := output.NewID(parts...)
	spec := uint64(0)
	for _, b := range id[:8] {
		spec = spec<<8 | uint64(b)
	}
	return spec
}
