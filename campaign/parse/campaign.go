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

func (r *reader) campaign(n *yaml.Node, p *program.Program) {
	p.MaxEventAge = unit.DayMillis
	p.Reentry.MaxActive = 1
	maxActiveGiven := false
	r.checks = nil
	fields := []field{
		{name: "trigger", required: true, read: func(n *yaml.Node) {
			r.trigger(n, p)
			if text, err := yaml.Marshal(n); err == nil {
				p.WrittenTrigger = string(text)
			}
		}},
		{name: "audience", read: func(n *yaml.Node) { r.expr(n, "audience", true, &p.Audience) }},
		{name: "reentry", read: func(n *yaml.Node) { maxActiveGiven = r.reentry(n, &p.Reentry) }},
		{name: "max_event_age", read: func(n *yaml.Node) { r.duration(n, "max_event_age", &p.MaxEventAge) }},
		{name: "goals", read: func(n *yaml.Node) { r.goals(n, p) }},
		{name: "stop", read: func(n *yaml.Node) {
			r.list(n, "stop", maxListItems, func(n *yaml.Node) {
				var m program.Matcher
				r.matcher(n, "stop", &m, false)
				p.Stops = append(p.Stops, m)
			})
		}},
		{name: "late", read: func(n *yaml.Node) {
			p.LateGiven, p.Late = true, program.LatePolicy(r.choice(n, "late", "send", "skip", "exit"))
		}},
		{name: "status", read: func(n *yaml.Node) { r.status(n, p) }},
		{name: "in_flight", read: func(n *yaml.Node) {
			p.InFlight = program.InFlight(r.choice(n, "in_flight", "follow", "pin", "exit"))
		}},
		{name: "from", read: func(n *yaml.Node) { r.instant(n, "from", &p.From) }},
		{name: "until", read: func(n *yaml.Node) { r.instant(n, "until", &p.Until) }},
		{name: "recheck", read: func(n *yaml.Node) { p.Recheck = r.choice(n, "recheck", "before_send") == 0 }},
		{name: "existing", read: func(n *yaml.Node) { p.Existing = r.choice(n, "existing", "include") == 0 }},
		{name: "policy", read: func(n *yaml.Node) { r.campaignPolicy(n, &p.Policy) }},
		{name: "zone", read: func(n *yaml.Node) { r.zone(n, "zone", &p.Zone) }},
		{name: "steps", required: true, read: func(n *yaml.Node) {
			var unclear []bool
			r.list(n, "steps", maxSteps, func(n *yaml.Node) {
				s, lost := r.step(n)
				p.Steps, unclear = append(p.Steps, s), append(unclear, lost)
			})
			r.checkSteps(n, p, unclear)
		}},
	}
	r.object(n, "campaign", append(fields, later("versions")...)...)
	r.checkPeriod(n, p)
	for _, check := range r.checks {
		check(p)
	}
	if p.Reentry.OnActive == program.Parallel && !maxActiveGiven {
		p.Reentry.MaxActive = customer.MaxLiveChains
	}
	p.Note()
}

func (r *reader) trigger(n *yaml.Node, p *program.Program) {
	kinds := r.triggers(p)
	fields := make([]field, 0, len(kinds))
	for _, kind := range kinds {
		fields = append(fields, field{name: kind.word, read: func(n *yaml.Node) { r.oneTrigger(n, p, kind.read(n)) }})
	}
	r.object(n, "trigger", fields...)
	if p.Trigger == nil {
		if n.Kind == yaml.MappingNode && len(n.Content) == 0 {
			r.fail(n, "trigger: one of %s is needed; write for example event: {name: Cart Updated}", fieldNames(fields))
		}
		r.flaw("trigger", "?")
		p.Trigger = new(program.EventTrigger) // keeps later checks from tripping; there is an error already
	}
}

func (r *reader) oneTrigger(n *yaml.Node, p *program.Program, t program.Trigger) {
	if p.Trigger != nil {
		r.fail(n, "trigger: exactly one kind is allowed")
	}
	p.Trigger = t
}

func (r *reader) reentry(n *yaml.Node, e *program.Reentry) (maxActiveGiven bool) {
	var cooldown *yaml.Node
	r.object(
		n,
		"reentry",
		field{name: "mode", read: func(n *yaml.Node) {
			e.Mode = program.Mode(r.choice(n, "reentry.mode", "always", "once", "cooldown"))
		}},
		field{name: "cooldown", read: func(n *yaml.Node) {
			cooldown = n
			r.duration(n, "reentry.cooldown", &e.Cooldown)
		}},
		field{
			name: "from",
			read: func(n *yaml.Node) { e.FromExit = r.choice(n, "reentry.from", "entry", "exit") == 1 },
		},
		field{name: "key", read: func(n *yaml.Node) { r.expr(n, "reentry.key", false, &e.Key) }},
		field{name: "max_active", read: func(n *yaml.Node) {
			e.MaxActive = int(r.integer(n, "reentry.max_active", 1, customer.MaxLiveChains))
			maxActiveGiven = true
		}},
		field{name: "on_active", read: func(n *yaml.Node) {
			e.OnActive = program.OnActive(r.choice(n, "reentry.on_active", "ignore", "restart", "refresh", "parallel"))
		}},
	)
	if e.Mode == program.Cooldown && cooldown == nil && !r.flawed["reentry"]["cooldown"] {
		r.fail(n, "reentry: mode cooldown needs a cooldown, for example 30d")
	}
	if e.Mode != program.Cooldown && cooldown != nil && !r.flawed["reentry"]["mode"] {
		r.fail(cooldown, "reentry.cooldown is only used with mode: cooldown")
	}
	return maxActiveGiven
}

// matcher reads the fields that goals, stops and waits share.
func (r *reader) matcher(n *yaml.Node, what string, m *program.Matcher, withGoto bool) {
	fields := r.matcherFields(what, m)
	if withGoto {
		fields = append(fields, field{name: "goto", read: func(n *yaml.Node) { r.name(n, what+".goto", &m.Goto) }})
	}
	r.object(n, what, fields...)
}

func (r *reader) matcherFields(what string, m *program.Matcher) []field {
	return []field{
		{name: "event", required: true, read: func(n *yaml.Node) { r.text(n, what+".event", &m.Event) }},
		{name: "where", read: func(n *yaml.Node) { r.expr(n, what+".where", true, &m.Where) }},
		{name: "match", read: func(n *yaml.Node) { r.text(n, what+".match", &m.Match) }},
	}
}

func (r *reader) goals(n *yaml.Node, p *program.Program) {
	ids := map[string]bool{}
	r.list(n, "goals", maxListItems, func(n *yaml.Node) {
		g := program.Goal{Stop: true}
		fields := append(r.matcherFields("goal", &g.Match),
			field{name: "id", required: true, read: func(n *yaml.Node) {
				if r.name(n, "goal.id", &g.ID); ids[g.ID] {
					r.fail(n, "goal id %q is used twice", g.ID)
				}
				ids[g.ID] = true
			}},
			field{name: "window", read: func(n *yaml.Node) { r.duration(n, "goal.window", &g.Window) }},
			field{name: "from", read: func(n *yaml.Node) {
				g.FromDelivery = r.choice(n, "goal.from", "entry", "delivery") == 1
			}},
			field{name: "value", read: func(n *yaml.Node) {
				if r.expr(n, "goal.value", false, &g.Value); g.Value != nil && !numeric(g.Value.Output) {
					r.fail(
						n,
						"goal.value: the expression gives %s, not a number",
						expr.PlainType(g.Value.Output.String()),
					)
				}
			}},
			field{name: "currency", read: func(n *yaml.Node) {
				r.expr(n, "goal.currency", false, &g.Currency)
				r.gives(n, "goal.currency", g.Currency, "a text", cel.StringType)
			}},
			field{name: "stop", read: func(n *yaml.Node) { r.boolean(n, "goal.stop", &g.Stop) }},
			field{name: "reverse_on", read: func(n *yaml.Node) { g.ReverseOn = r.reverseOn(n) }},
			field{name: "primary", read: func(n *yaml.Node) {
				if r.boolean(n, "goal.primary", &g.Primary); g.Primary && slices.ContainsFunc(p.Goals, isPrimary) {
					r.fail(n, "goal.primary: another goal is the primary one already")
				}
			}},
		)
		r.object(n, "goal", fields...)
		if g.ReverseOn != nil && g.ReverseOn.Match == "" {
			g.ReverseOn.Match = g.Match.Match
		}
		if g.FromDelivery && g.Window == 0 && !r.flawed["goal"]["window"] {
			r.fail(n, "goal: from: delivery needs a window")
		}
		p.Goals = append(p.Goals, g)
	})
}

func isPrimary(g program.Goal) bool { return g.Primary }

// reverseOn reads an event name, or a matcher; without a match of its own it has the
// goal's.
func (r *reader) reverseOn(n *yaml.Node) *program.Matcher {
	m := new(program.Matcher)
	if n.Kind == yaml.ScalarNode {
		r.text(n, "goal.reverse_on", &m.Event)
		return m
	}
	r.matcher(n, "goal.reverse_on", m, false)
	return m
}
