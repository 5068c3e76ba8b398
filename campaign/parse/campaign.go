package parse

import (
	"slices"

	"github.com/google/cel-go/cel"
	"go.yaml.in/yaml/v3"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/unit"
)

// campaign reads the spec of a campaign into p, from the defaults on: events up to a day old, one
// live chain of a key. What needs several fields is checked at the end, when all are read, since
// authors may write them in any order.
func (r *campaignReader) campaign(n *yaml.Node, p *program.Program) {
	p.MaxEventAge = unit.DayMillis
	p.Reentry.MaxActive = 1
	maxActiveGiven := false
	fields := []field{
		{name: "trigger", required: true, read: func(n *yaml.Node) {
			r.trigger(n, p)
			// Kept as text, so that two campaigns with the same trigger can be found.
			if text, err := yaml.Marshal(n); err == nil {
				p.WrittenTrigger = string(text)
			}
		}},
		{name: "audience", read: func(n *yaml.Node) { r.core.expr(n, "audience", true, &p.Audience) }},
		{name: "reentry", read: func(n *yaml.Node) { maxActiveGiven = r.reentry(n, &p.Reentry) }},
		{name: "max_event_age", read: func(n *yaml.Node) { r.core.duration(n, "max_event_age", &p.MaxEventAge) }},
		{name: "goals", read: func(n *yaml.Node) { r.goals(n, p) }},
		{name: "stop", read: func(n *yaml.Node) {
			r.core.list(n, "stop", maxListItems, func(n *yaml.Node) {
				var m program.Matcher
				r.core.matcher(n, "stop", &m, false)
				p.Stops = append(p.Stops, m)
			})
		}},
		{name: "late", read: func(n *yaml.Node) {
			p.LateGiven, p.Late = true, program.LatePolicy(r.core.choice(n, "late", "send", "skip", "exit"))
		}},
		{name: "status", read: func(n *yaml.Node) { r.status(n, p) }},
		{name: "in_flight", read: func(n *yaml.Node) {
			p.InFlight = program.InFlight(r.core.choice(n, "in_flight", "follow", "pin", "exit"))
		}},
		{name: "from", read: func(n *yaml.Node) { r.core.instant(n, "from", &p.From) }},
		{name: "until", read: func(n *yaml.Node) { r.core.instant(n, "until", &p.Until) }},
		{name: "recheck", read: func(n *yaml.Node) { p.Recheck = r.core.choice(n, "recheck", "before_send") == 0 }},
		{name: "existing", read: func(n *yaml.Node) { p.Existing = r.core.choice(n, "existing", "include") == 0 }},
		{name: "policy", read: func(n *yaml.Node) { r.policies.campaignPolicy(n, &p.Policy) }},
		{name: "zone", read: func(n *yaml.Node) { r.core.zone(n, "zone", &p.Zone) }},
		{name: "steps", required: true, read: func(n *yaml.Node) {
			var unclear []bool
			r.core.list(n, "steps", maxSteps, func(n *yaml.Node) {
				s, lost := r.steps.step(n)
				p.Steps, unclear = append(p.Steps, s), append(unclear, lost)
			})
			r.steps.checkSteps(n, p, unclear)
		}},
	}
	r.core.object(n, "campaign", append(fields, later("versions")...)...)
	r.checkPeriod(n, p)
	// Experiments name goals, which may be written after them.
	for _, check := range r.steps.experiments.checks {
		check(p)
	}
	// One at a time would contradict "parallel", so without a number the limit is that of the
	// customer.
	if p.Reentry.OnActive == program.Parallel && !maxActiveGiven {
		p.Reentry.MaxActive = customer.MaxLiveChains
	}
	p.Note()
}

// trigger reads an object with exactly one field, the kind of the trigger.
func (r *campaignReader) trigger(n *yaml.Node, p *program.Program) {
	kinds := r.triggers.triggers(p)
	fields := make([]field, 0, len(kinds))
	for _, kind := range kinds {
		fields = append(fields, field{name: kind.word, read: func(n *yaml.Node) { r.oneTrigger(n, p, kind.read(n)) }})
	}
	r.core.object(n, "trigger", fields...)
	if p.Trigger == nil {
		// An object with something else in it has an error about that already.
		if n.Kind == yaml.MappingNode && len(n.Content) == 0 {
			r.core.fail(n, "trigger: one of %s is needed; write for example event: {name: Cart Updated}",
				fieldNames(fields))
		}
		r.core.flaw("trigger", "?")
		p.Trigger = new(program.EventTrigger) // keeps later checks from tripping; there is an error already
	}
}

// oneTrigger keeps the trigger that was read, and refuses a second one.
func (r *campaignReader) oneTrigger(n *yaml.Node, p *program.Program, t program.Trigger) {
	if p.Trigger != nil {
		r.core.fail(n, "trigger: exactly one kind is allowed")
	}
	p.Trigger = t
}

// reentry reads {mode, cooldown, from, key, max_active, on_active}. maxActiveGiven reports whether
// "max_active" is written, since its default depends on "on_active".
func (r *campaignReader) reentry(n *yaml.Node, e *program.Reentry) (maxActiveGiven bool) {
	var cooldown *yaml.Node
	r.core.object(
		n,
		"reentry",
		field{name: "mode", read: func(n *yaml.Node) {
			e.Mode = program.Mode(r.core.choice(n, "reentry.mode", "always", "once", "cooldown"))
		}},
		field{name: "cooldown", read: func(n *yaml.Node) {
			cooldown = n
			r.core.duration(n, "reentry.cooldown", &e.Cooldown)
		}},
		field{
			name: "from",
			read: func(n *yaml.Node) { e.FromExit = r.core.choice(n, "reentry.from", "entry", "exit") == 1 },
		},
		field{name: "key", read: func(n *yaml.Node) { r.core.expr(n, "reentry.key", false, &e.Key) }},
		field{name: "max_active", read: func(n *yaml.Node) {
			e.MaxActive = int(r.core.integer(n, "reentry.max_active", 1, customer.MaxLiveChains))
			maxActiveGiven = true
		}},
		field{name: "on_active", read: func(n *yaml.Node) {
			words := []string{"ignore", "restart", "refresh", "parallel"}
			e.OnActive = program.OnActive(r.core.choice(n, "reentry.on_active", words...))
		}},
	)
	if e.Mode == program.Cooldown && cooldown == nil && !r.core.flawed["reentry"]["cooldown"] {
		r.core.fail(n, "reentry: mode cooldown needs a cooldown, for example 30d")
	}
	if e.Mode != program.Cooldown && cooldown != nil && !r.core.flawed["reentry"]["mode"] {
		r.core.fail(cooldown, "reentry.cooldown is only used with mode: cooldown")
	}
	return maxActiveGiven
}

// goals reads the list of goals. A goal ends the chain unless it says stop: false.
func (r *campaignReader) goals(n *yaml.Node, p *program.Program) {
	ids := map[string]bool{}
	r.core.list(n, "goals", maxListItems, func(n *yaml.Node) {
		g := program.Goal{Stop: true}
		fields := append(r.core.matcherFields("goal", &g.Match),
			field{name: "id", required: true, read: func(n *yaml.Node) {
				if r.core.name(n, "goal.id", &g.ID); ids[g.ID] {
					r.core.fail(n, "goal id %q is used twice", g.ID)
				}
				ids[g.ID] = true
			}},
			field{name: "window", read: func(n *yaml.Node) { r.core.duration(n, "goal.window", &g.Window) }},
			field{name: "from", read: func(n *yaml.Node) {
				g.FromDelivery = r.core.choice(n, "goal.from", "entry", "delivery") == 1
			}},
			field{name: "value", read: func(n *yaml.Node) {
				if r.core.expr(n, "goal.value", false, &g.Value); g.Value != nil && !numeric(g.Value.Output) {
					r.core.fail(
						n,
						"goal.value: the expression gives %s, not a number",
						expr.PlainType(g.Value.Output.String()),
					)
				}
			}},
			field{name: "currency", read: func(n *yaml.Node) {
				r.core.expr(n, "goal.currency", false, &g.Currency)
				r.core.gives(n, "goal.currency", g.Currency, "a text", cel.StringType)
			}},
			field{name: "stop", read: func(n *yaml.Node) { r.core.boolean(n, "goal.stop", &g.Stop) }},
			field{name: "reverse_on", read: func(n *yaml.Node) { g.ReverseOn = r.reverseOn(n) }},
			field{name: "primary", read: func(n *yaml.Node) {
				if r.core.boolean(n, "goal.primary", &g.Primary); g.Primary && slices.ContainsFunc(p.Goals, isPrimary) {
					r.core.fail(n, "goal.primary: another goal is the primary one already")
				}
			}},
		)
		r.core.object(n, "goal", fields...)
		// A refund is matched by the same property as the order.
		if g.ReverseOn != nil && g.ReverseOn.Match == "" {
			g.ReverseOn.Match = g.Match.Match
		}
		if g.FromDelivery && g.Window == 0 && !r.core.flawed["goal"]["window"] {
			r.core.fail(n, "goal: from: delivery needs a window")
		}
		p.Goals = append(p.Goals, g)
	})
}

// isPrimary reports whether a goal says that it is the primary one.
func isPrimary(g program.Goal) bool { return g.Primary }

// reverseOn reads the name of an event, or a matcher. Without a match of its own it has that of the
// goal.
func (r *campaignReader) reverseOn(n *yaml.Node) *program.Matcher {
	m := new(program.Matcher)
	if n.Kind == yaml.ScalarNode {
		r.core.text(n, "goal.reverse_on", &m.Event)
		return m
	}
	r.core.matcher(n, "goal.reverse_on", m, false)
	return m
}
