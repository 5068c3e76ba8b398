package parse

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/nearest"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/unit"
)

// step reads a step: {id, goto, loop} and exactly one verb. unclear reports that its errors leave
// open where it leads, so that later steps are not called unreachable because of them.
func (r *stepReader) step(n *yaml.Node) (s program.Step, unclear bool) {
	harmless, twice := 0, false // harmless counts errors that do not concern where the step leads
	verb := func(v program.Verb) {
		if s.Verb != nil {
			twice = true
			r.core.fail(n, "step %s: exactly one of %s is allowed; make two steps of it", s.ID, r.verbNames())
		}
		s.Verb = v
	}
	fields := []field{
		{name: "id", required: true, read: func(n *yaml.Node) {
			if r.core.name(n, "step id", &s.ID); s.ID == program.EndStep {
				r.core.fail(n, "step id %q is reserved", program.EndStep)
			}
		}},
		{name: "goto", read: func(n *yaml.Node) { r.core.name(n, "goto", &s.Goto) }},
	}
	for _, v := range r.verbs() {
		fields = append(fields, field{name: v.word, read: func(n *yaml.Node) {
			before := len(r.core.errs)
			if verb(v.read(n)); v.straight {
				harmless += len(r.core.errs) - before
			}
		}})
	}
	fields = append(fields, field{name: "loop", read: func(n *yaml.Node) { r.loop(n, &s.Loop) }})
	// The places inside of the step are noted with its id, which may be written last.
	outer, before := r.core.spots, len(r.core.errs)
	r.core.spots = map[Spot]*yaml.Node{}
	r.core.object(n, "step", fields...)
	for at, place := range r.core.spots { //nudge:unordered each has a place of its own
		at.Step = s.ID
		if outer != nil {
			outer[at] = place
		}
	}
	r.core.spots = outer
	if s.Verb == nil {
		if len(r.core.errs) == before {
			r.core.fail(n, "step %s: one of %s is needed", s.ID, r.verbNames())
		}
		s.Verb = new(program.Exit) // there is an error already; keeps later checks from tripping
	}
	_, sends := s.Verb.(*program.Send)
	in := r.core.flawed["send"]
	unclear = len(r.core.errs)-before > harmless || twice ||
		sends && (in["on_fail"] || in["on_drop"] || in["on_cap"] || in["?"])
	return s, unclear
}

// delay reads a duration, or {for, from}.
func (r *stepReader) delay(n *yaml.Node) *program.Delay {
	d := new(program.Delay)
	if n.Kind == yaml.ScalarNode {
		r.core.duration(n, "delay", &d.For)
		return d
	}
	r.core.object(n, "delay",
		field{name: "for", required: true, read: func(n *yaml.Node) { r.core.duration(n, "delay.for", &d.For) }},
		field{name: "from", read: func(n *yaml.Node) {
			d.FromEntry = r.core.choice(n, "delay.from", "step", "entry") == 1
		}})
	return d
}

// wait reads {for, timeout, since, on_timeout, restart_on, max_restarts}; a wait restarts at most
// 100 times by default.
func (r *stepReader) wait(n *yaml.Node) *program.Wait {
	w, before := &program.Wait{MaxRestarts: 100}, len(r.core.errs)
	r.core.object(n, "wait",
		field{name: "for", read: func(n *yaml.Node) {
			r.core.list(n, "wait.for", maxListItems, func(n *yaml.Node) {
				var m program.Matcher
				r.core.matcher(n, "wait.for", &m, true)
				w.For = append(w.For, m)
			})
		}},
		field{name: "timeout", read: func(n *yaml.Node) { r.core.duration(n, "wait.timeout", &w.Timeout) }},
		field{name: "since", read: func(n *yaml.Node) {
			w.FromEntry = r.core.choice(n, "wait.since", "step", "entry") == 1
		}},
		field{name: "on_timeout", read: func(n *yaml.Node) { w.OnTimeout = r.core.gotoObject(n, "wait.on_timeout") }},
		field{name: "restart_on", read: func(n *yaml.Node) {
			w.RestartOn = new(program.Matcher)
			r.core.matcher(n, "wait.restart_on", w.RestartOn, false)
		}},
		field{name: "max_restarts", read: func(n *yaml.Node) {
			w.MaxRestarts = uint32(r.core.integer(n, "wait.max_restarts", 0, 1_000_000))
		}})
	if len(w.For) == 0 && w.Timeout == 0 && len(r.core.errs) == before {
		r.core.fail(n, "wait: needs for, or timeout, or both")
	}
	if w.RestartOn != nil && w.Timeout == 0 && !r.core.flawed["wait"]["timeout"] {
		r.core.fail(n, "wait: restart_on needs a timeout to restart")
	}
	return w
}

// send reads {channel or channels, template or inline, expires, to, category, on_fail, on_drop,
// on_cap}. Without template and inline a channel gets the data only.
func (r *stepReader) send(n *yaml.Node) *program.Send {
	s := &program.Send{Expires: unit.DayMillis}
	content, ways, before := 0, 0, len(r.core.errs)
	fields := []field{
		{name: "channel", read: func(n *yaml.Node) {
			ways++
			var name string
			r.core.name(n, "send.channel", &name)
			r.core.spot(Spot{Field: "channel", Name: name}, n)
			s.Channels = append(s.Channels, name)
		}},
		{name: "channels", read: func(n *yaml.Node) {
			ways++
			r.core.list(n, "send.channels", 16, func(n *yaml.Node) {
				var name string
				r.core.name(n, "send.channels", &name)
				r.core.spot(Spot{Field: "channel", Name: name}, n)
				s.Channels = append(s.Channels, name)
			})
		}},
		{name: "template", read: func(n *yaml.Node) {
			content++
			r.core.name(n, "send.template", &s.Message.Template)
			r.core.spot(Spot{Field: "template"}, n)
		}},
		{name: "inline", read: func(n *yaml.Node) {
			content++
			r.core.messageFields(n, "send.inline", &s.Message.Fields)
		}},
		{name: "expires", read: func(n *yaml.Node) { r.core.duration(n, "send.expires", &s.Expires) }},
		{name: "to", read: func(n *yaml.Node) { r.core.expr(n, "send.to", false, &s.To) }},
		{name: "category", read: func(n *yaml.Node) { r.core.name(n, "send.category", &s.Category) }},
		{name: "on_fail", read: func(n *yaml.Node) { s.OnFail = r.core.gotoObject(n, "send.on_fail") }},
		{name: "on_drop", read: func(n *yaml.Node) { s.OnDrop = r.onDrop(n) }},
		{name: "on_cap", read: func(n *yaml.Node) { s.OnCap = r.onCap(n) }},
	}
	r.core.object(n, "send", fields...)
	seen := map[string]bool{}
	for _, c := range s.Channels {
		if seen[c] {
			r.core.fail(n, "send: channel %q is named twice", c)
		}
		if c == program.CallChannel {
			r.core.fail(n, "send: channel %q is that of call steps", c)
		}
		seen[c] = true
	}
	if len(s.Channels) == 0 && len(r.core.errs) == before {
		r.core.fail(n, "send: needs channel or channels; write for example channel: console")
	}
	if ways > 1 {
		r.core.fail(n, "send: channel and channels exclude each other")
	}
	if content > 1 {
		r.core.fail(n, "send: template and inline exclude each other")
	}
	return s
}

func (r *stepReader) branch(n *yaml.Node) *program.Branch {
	b := new(program.Branch)
	r.core.list(n, "branch", maxSteps, func(n *yaml.Node) {
		var a program.Arm
		if len(b.Arms) > 0 && b.Arms[len(b.Arms)-1].When == nil {
			r.core.fail(n, "branch: this arm comes after the one without when, which always holds")
		}
		broken := len(r.core.errs)
		r.core.object(n, "branch",
			field{name: "when", read: func(n *yaml.Node) { r.core.expr(n, "branch.when", true, &a.When) }},
			field{name: "goto", required: true, read: func(n *yaml.Node) { r.core.name(n, "branch.goto", &a.Goto) }})
		if len(r.core.errs) > broken && a.When == nil {
			a.When = new(expr.Expr) // an error is reported already; not an arm without when
		}
		b.Arms = append(b.Arms, a)
	})
	if len(b.Arms) == 0 && n.Kind == yaml.SequenceNode {
		r.core.fail(n, "branch: needs at least one arm")
	}
	return b
}

func (r *stepReader) exit(n *yaml.Node) *program.Exit {
	e := new(program.Exit)
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return e
	}
	r.core.object(n, "exit", field{name: "reason", read: func(n *yaml.Node) {
		r.core.text(n, "exit.reason", &e.Reason)
	}})
	return e
}

// checkSteps checks what concerns several steps: ids, targets and reachability. Of the
// steps that are unclear it is not known which steps follow.
func (r *stepReader) checkSteps(n *yaml.Node, p *program.Program, unclear []bool) {
	if n.Kind != yaml.SequenceNode || len(n.Content) != len(p.Steps) {
		return
	}
	if len(p.Steps) == 0 {
		r.core.fail(n, "steps: at least one is needed")
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
			r.core.fail(valueOf(n.Content[i], "id"), "step id %q is used twice, first for step %d; give one another id",
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
			r.core.fail(n.Content[i], "step %s cannot be reached: no step before it goes on to it; add a goto: %s, "+
				"or remove it",
				p.Steps[i].ID, p.Steps[i].ID)
		}
	}
}

// checkTargets checks that each goto names a step, and one behind only where that allows
// it. A step whose goto does neither becomes unclear. shared are the ids of several steps.
func (r *stepReader) checkTargets(n *yaml.Node, p *program.Program, shared map[string]bool, unclear []bool) {
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
				r.core.fail(
					gotoNode(n.Content[i], target),
					"step %s: goto %q names no step; there are %s, %s%s",
					p.Steps[i].ID,
					target,
					strings.Join(ids, ", "),
					program.EndStep,
					nearest.Hint(target, append(ids, program.EndStep)),
				)
			default:
				r.core.fail(gotoNode(n.Content[i], target), "step %s: goto %q goes back; only forward is allowed, or "+
					"to a step with "+
					"loop: {max: N}", p.Steps[i].ID, target)
			}
		}
	}
}

// valueOf returns the value of a field; the object itself where it does not have it.
func valueOf(n *yaml.Node, name string) *yaml.Node {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return n
}

// gotoNode returns where a step names the step that it goes to, at any depth, for the place of an
// error; the step itself where it does not.
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

// onDrop reads "next", "exit" or {goto: step}.
func (r *stepReader) onDrop(n *yaml.Node) (d program.OnDrop) {
	if n.Kind == yaml.ScalarNode {
		d.Exit = r.core.choice(n, "send.on_drop", "next", "exit") == 1
		return d
	}
	d.Goto = r.core.gotoObject(n, "send.on_drop")
	return d
}
