package parse

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/nearest"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/unit"
)

// step reads a step. unclear says that by its errors it is not known where it leads.
func (r *reader) step(n *yaml.Node) (s program.Step, unclear bool) {
	harmless, twice := 0, false // harmless counts errors that do not concern where the step leads
	verb := func(v program.Verb) {
		if s.Verb != nil {
			twice = true
			r.fail(n, "step %s: exactly one of %s is allowed; make two steps of it", s.ID, r.verbNames())
		}
		s.Verb = v
	}
	fields := []field{
		{name: "id", required: true, read: func(n *yaml.Node) {
			if r.name(n, "step id", &s.ID); s.ID == program.EndStep {
				r.fail(n, "step id %q is reserved", program.EndStep)
			}
		}},
		{name: "goto", read: func(n *yaml.Node) { r.name(n, "goto", &s.Goto) }},
	}
	for _, v := range r.verbs() {
		fields = append(fields, field{name: v.word, read: func(n *yaml.Node) {
			before := len(r.errs)
			if verb(v.read(n)); v.straight {
				harmless += len(r.errs) - before
			}
		}})
	}
	fields = append(fields, field{name: "loop", read: func(n *yaml.Node) { r.loop(n, &s.Loop) }})
	outer, before := r.spots, len(r.errs)
	r.spots = map[Spot]*yaml.Node{}
	r.object(n, "step", fields...)
	for at, place := range r.spots { //nudge:unordered each has a place of its own
		at.Step = s.ID
		if outer != nil {
			outer[at] = place
		}
	}
	r.spots = outer
	if s.Verb == nil {
		if len(r.errs) == before {
			r.fail(n, "step %s: one of %s is needed", s.ID, r.verbNames())
		}
		s.Verb = new(program.Exit) // there is an error already; keeps later checks from tripping
	}
	_, sends := s.Verb.(*program.Send)
	in := r.flawed["send"]
	unclear = len(r.errs)-before > harmless || twice ||
		sends && (in["on_fail"] || in["on_drop"] || in["on_cap"] || in["?"])
	return s, unclear
}

func (r *reader) delay(n *yaml.Node) *program.Delay {
	d := new(program.Delay)
	if n.Kind == yaml.ScalarNode {
		r.duration(n, "delay", &d.For)
		return d
	}
	r.object(n, "delay",
		field{name: "for", required: true, read: func(n *yaml.Node) { r.duration(n, "delay.for", &d.For) }},
		field{name: "from", read: func(n *yaml.Node) { d.FromEntry = r.choice(n, "delay.from", "step", "entry") == 1 }})
	return d
}

func (r *reader) wait(n *yaml.Node) *program.Wait {
	w, before := &program.Wait{MaxRestarts: 100}, len(r.errs)
	r.object(n, "wait",
		field{name: "for", read: func(n *yaml.Node) {
			r.list(n, "wait.for", maxListItems, func(n *yaml.Node) {
				var m program.Matcher
				r.matcher(n, "wait.for", &m, true)
				w.For = append(w.For, m)
			})
		}},
		field{name: "timeout", read: func(n *yaml.Node) { r.duration(n, "wait.timeout", &w.Timeout) }},
		field{name: "since", read: func(n *yaml.Node) {
			w.FromEntry = r.choice(n, "wait.since", "step", "entry") == 1
		}},
		field{name: "on_timeout", read: func(n *yaml.Node) { w.OnTimeout = r.gotoObject(n, "wait.on_timeout") }},
		field{name: "restart_on", read: func(n *yaml.Node) {
			w.RestartOn = new(program.Matcher)
			r.matcher(n, "wait.restart_on", w.RestartOn, false)
		}},
		field{name: "max_restarts", read: func(n *yaml.Node) {
			w.MaxRestarts = uint32(r.integer(n, "wait.max_restarts", 0, 1_000_000))
		}})
	if len(w.For) == 0 && w.Timeout == 0 && len(r.errs) == before {
		r.fail(n, "wait: needs for, or timeout, or both")
	}
	if w.RestartOn != nil && w.Timeout == 0 && !r.flawed["wait"]["timeout"] {
		r.fail(n, "wait: restart_on needs a timeout to restart")
	}
	return w
}

func (r *reader) gotoObject(n *yaml.Node, what string) (target string) {
	r.object(
		n,
		what,
		field{name: "goto", required: true, read: func(n *yaml.Node) { r.name(n, what+".goto", &target) }},
	)
	return target
}

func (r *reader) send(n *yaml.Node) *program.Send {
	s := &program.Send{Expires: unit.DayMillis}
	content, ways, before := 0, 0, len(r.errs)
	fields := []field{
		{name: "channel", read: func(n *yaml.Node) {
			ways++
			var name string
			r.name(n, "send.channel", &name)
			r.spot(Spot{Field: "channel", Name: name}, n)
			s.Channels = append(s.Channels, name)
		}},
		{name: "channels", read: func(n *yaml.Node) {
			ways++
			r.list(n, "send.channels", 16, func(n *yaml.Node) {
				var name string
				r.name(n, "send.channels", &name)
				r.spot(Spot{Field: "channel", Name: name}, n)
				s.Channels = append(s.Channels, name)
			})
		}},
		{name: "template", read: func(n *yaml.Node) {
			content++
			r.name(n, "send.template", &s.Message.Template)
			r.spot(Spot{Field: "template"}, n)
		}},
		{name: "inline", read: func(n *yaml.Node) {
			content++
			r.messageFields(n, "send.inline", &s.Message.Fields)
		}},
		{name: "expires", read: func(n *yaml.Node) { r.duration(n, "send.expires", &s.Expires) }},
		{name: "to", read: func(n *yaml.Node) { r.expr(n, "send.to", false, &s.To) }},
		{name: "category", read: func(n *yaml.Node) { r.name(n, "send.category", &s.Category) }},
		{name: "on_fail", read: func(n *yaml.Node) { s.OnFail = r.gotoObject(n, "send.on_fail") }},
		{name: "on_drop", read: func(n *yaml.Node) { s.OnDrop = r.onDrop(n) }},
		{name: "on_cap", read: func(n *yaml.Node) { s.OnCap = r.onCap(n) }},
	}
	r.object(n, "send", fields...)
	seen := map[string]bool{}
	for _, c := range s.Channels {
		if seen[c] {
			r.fail(n, "send: channel %q is named twice", c)
		}
		if c == program.CallChannel {
			r.fail(n, "send: channel %q is that of call steps", c)
		}
		seen[c] = true
	}
	if len(s.Channels) == 0 && len(r.errs) == before {
		r.fail(n, "send: needs channel or channels; write for example channel: console")
	}
	if ways > 1 {
		r.fail(n, "send: channel and channels exclude each other")
	}
	if content > 1 {
		r.fail(n, "send: template and inline exclude each other")
	}
	return s
}

// maxMessageFields bounds the texts of a message.
const maxMessageFields = 64

// messageFields reads texts by name: subject, title, body and what else a
// channel takes.
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

func (r *reader) branch(n *yaml.Node) *program.Branch {
	b := new(program.Branch)
	r.list(n, "branch", maxSteps, func(n *yaml.Node) {
		var a program.Arm
		if len(b.Arms) > 0 && b.Arms[len(b.Arms)-1].When == nil {
			r.fail(n, "branch: this arm comes after the one without when, which always holds")
		}
		broken := len(r.errs)
		r.object(n, "branch",
			field{name: "when", read: func(n *yaml.Node) { r.expr(n, "branch.when", true, &a.When) }},
			field{name: "goto", required: true, read: func(n *yaml.Node) { r.name(n, "branch.goto", &a.Goto) }})
		if len(r.errs) > broken && a.When == nil {
			a.When = new(expr.Expr) // an error is reported already; not an arm without when
		}
		b.Arms = append(b.Arms, a)
	})
	if len(b.Arms) == 0 && n.Kind == yaml.SequenceNode {
		r.fail(n, "branch: needs at least one arm")
	}
	return b
}

func (r *reader) exit(n *yaml.Node) *program.Exit {
	e := new(program.Exit)
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return e
	}
	r.object(n, "exit", field{name: "reason", read: func(n *yaml.Node) { r.text(n, "exit.reason", &e.Reason) }})
	return e
}

// checkSteps checks what concerns several steps: ids, targets and reachability. Of the
// steps that are unclear it is not known which steps follow.
func (r *reader) checkSteps(n *yaml.Node, p *program.Program, unclear []bool) {
	if n.Kind != yaml.SequenceNode || len(n.Content) != len(p.Steps) {
		return
	}
	if len(p.Steps) == 0 {
		r.fail(n, "steps: at least one is needed")
		return
	}
	p.StepIndex = make(map[string]int, len(p.Steps))
	shared := map[string]bool{} // ids of several steps
	for i := range p.Steps {
		if p.Steps[i].ID == "" {
			continue // there is an error already
		}
		if first, twice := p.StepIndex[p.Steps[i].ID]; twice {
			shared[p.Steps[i].ID] = true
			r.fail(valueOf(n.Content[i], "id"), "step id %q is used twice, first for step %d; give one another id",
				p.Steps[i].ID, first+1)
			continue
		}
		p.StepIndex[p.Steps[i].ID] = i
	}
	r.checkTargets(n, p, shared, unclear)
	reached := p.Reached(unclear)
	for i := range p.Steps {
		// A step without an id of its own may be meant by any goto.
		if !reached[i] && !shared[p.Steps[i].ID] && program.IsName(p.Steps[i].ID) {
			r.fail(n.Content[i], "step %s cannot be reached: no step before it goes on to it; add a goto: %s, "+
				"or remove it",
				p.Steps[i].ID, p.Steps[i].ID)
		}
	}
}

// checkTargets checks that each goto names a step, and one behind only where that allows
// it. A step whose goto does neither becomes unclear. shared are the ids of several steps.
func (r *reader) checkTargets(n *yaml.Node, p *program.Program, shared map[string]bool, unclear []bool) {
	ids := make([]string, 0, len(p.Steps))
	for i := range p.Steps {
		ids = append(ids, p.Steps[i].ID)
	}
	for i := range p.Steps {
		for _, target := range p.Targets(i) {
			at, ok := p.StepIndex[target]
			if target == program.EndStep || ok && !shared[target] && (at > i || p.Steps[at].Loop > 0) {
				continue
			}
			unclear[i] = true
			switch {
			case shared[target], !ok && (!program.IsName(target) || slices.Contains(ids, "")): // told already
			case !ok:
				r.fail(
					gotoNode(n.Content[i], target),
					"step %s: goto %q names no step; there are %s, %s%s",
					p.Steps[i].ID,
					target,
					strings.Join(ids, ", "),
					program.EndStep,
					nearest.Hint(target, append(ids, program.EndStep)),
				)
			default:
				r.fail(gotoNode(n.Content[i], target), "step %s: goto %q goes back; only forward is allowed, or "+
					"to a step with "+
					"loop: {max: N}", p.Steps[i].ID, target)
			}
		}
	}
}

// valueOf is the value of a field; the object where it has none.
func valueOf(n *yaml.Node, name string) *yaml.Node {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return n
}

// gotoNode is where a step names the step that it goes to; the step where it does not.
func gotoNode(n *yaml.Node, target string) *yaml.Node {
	for i := 0; i+1 < len(n.Content) && n.Kind == yaml.MappingNode; i += 2 {
		if key, value := n.Content[i], n.Content[i+1]; key.Value == "goto" && value.Value == target {
			return value
		}
	}
	for _, child := range n.Content {
		if at := gotoNode(child, target); at != child {
			return at
		}
	}
	return n
}

// onDrop reads next, exit or {goto: step}.
func (r *reader) onDrop(n *yaml.Node) (d program.OnDrop) {
	if n.Kind == yaml.ScalarNode {
		d.Exit = r.choice(n, "send.on_drop", "next", "exit") == 1
		return d
	}
	d.Goto = r.gotoObject(n, "send.on_drop")
	return d
}
