package parse

import (
	"encoding/json"

	"go.yaml.in/yaml/v3"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/program"
)

// The greatest numbers of steps and of expectations in a scenario.
const (
	// maxScenarioSteps bounds the steps of one scenario.
	maxScenarioSteps = 1000
	// maxExpected bounds the deliveries that one step expects.
	maxExpected = 1000
)

// scenario reads the spec of a document of kind Scenario.
func (r *scenarioReader) scenario(n *yaml.Node, s *program.Scenario) {
	s.Variants = map[string]string{}
	r.core.object(n, "scenario",
		field{name: "campaigns", read: func(n *yaml.Node) {
			r.core.list(n, "campaigns", maxListItems, func(n *yaml.Node) {
				var name string
				r.core.name(n, "campaigns", &name)
				s.Campaigns = append(s.Campaigns, name)
			})
		}},
		field{name: "variants", read: func(n *yaml.Node) { r.variants(n, s) }},
		field{name: "holdout", read: func(n *yaml.Node) { r.core.boolean(n, "holdout", &s.Holdout) }},
		field{name: "at", required: true, read: func(n *yaml.Node) { r.core.instant(n, "at", &s.At) }},
		field{name: "steps", required: true, read: func(n *yaml.Node) {
			r.core.list(n, "steps", maxScenarioSteps, func(n *yaml.Node) {
				s.Steps = append(s.Steps, r.scenarioStep(n))
			})
		}},
	)
}

// variants reads an object from the id of an experiment's step to the variant that all chains take.
func (r *scenarioReader) variants(n *yaml.Node, s *program.Scenario) {
	if r.core.drawn(Shape{Kind: ShapeMap, Key: ShapeName, Item: &Shape{Kind: ShapeName}}) {
		return
	}
	if n.Kind != yaml.MappingNode {
		r.core.fail(n, "variants must be an object: step: variant")
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		var step, variant string
		r.core.name(n.Content[i], "variants", &step)
		r.core.name(n.Content[i+1], "variants."+step, &variant)
		s.Variants[step] = variant
	}
}

// scenarioStep reads a step: who, what happens (identify, track, broadcast or advance), and what is
// expected. Only the expectation may stand alone.
func (r *scenarioReader) scenarioStep(n *yaml.Node) program.ScenarioStep {
	s := program.ScenarioStep{Line: n.Line}
	broadcast := false
	var properties, context []byte
	happens, before := 0, len(r.core.errs)
	r.core.object(n, "step",
		field{name: "customer", read: func(n *yaml.Node) { r.core.text(n, "customer", &s.Customer) }},
		field{name: "identify", read: func(n *yaml.Node) {
			happens++
			s.Call = &event.Event{Type: event.Identify, Name: "$identify"}
			r.core.object(n, "identify", field{name: "traits", required: true, read: func(n *yaml.Node) {
				s.Call.Traits = r.jsonObject(n, "identify.traits")
			}})
		}},
		field{name: "track", read: func(n *yaml.Node) {
			happens++
			s.Call = &event.Event{Type: event.Track}
			r.core.text(n, "track", &s.Call.Name)
		}},
		field{name: "broadcast", read: func(n *yaml.Node) {
			happens++
			broadcast = true
			s.Call = &event.Event{Type: event.Track}
			r.core.text(n, "broadcast", &s.Call.Name)
		}},
		field{name: "properties", read: func(n *yaml.Node) { properties = r.jsonObject(n, "properties") }},
		field{name: "context", read: func(n *yaml.Node) { context = r.jsonObject(n, "context") }},
		field{name: "advance", read: func(n *yaml.Node) {
			happens++
			r.core.duration(n, "advance", &s.Advance)
		}},
		field{name: "expect", read: func(n *yaml.Node) {
			s.Expected = true
			r.core.list(n, "expect", maxExpected, func(n *yaml.Node) { s.Expect = append(s.Expect, r.expectation(n)) })
		}},
	)
	switch {
	case happens > 1:
		r.core.fail(n, "step: only one of identify, track, broadcast, advance is allowed")
	case happens == 0 && !s.Expected && len(r.core.errs) > before: // it may be what has the error
	case happens == 0 && !s.Expected:
		r.core.fail(n, "step: one of identify, track, broadcast, advance, expect is needed")
	case (properties != nil || context != nil) && s.Call == nil:
		r.core.fail(n, "step: properties and context belong to track and broadcast")
	case broadcast && s.Customer != "":
		r.core.fail(n, "step: a broadcast goes to all customers; it names none")
	case s.Call != nil:
		s.Call.Properties, s.Call.Context = properties, context
	}
	if s.Customer == "" && !broadcast {
		s.Customer = defaultCustomer
	}
	return s
}

// expectation reads {campaign, step, channel, variant, customer}; what is left out may be anything.
func (r *scenarioReader) expectation(n *yaml.Node) program.Expectation {
	var e program.Expectation
	text := func(name string, into *string) field {
		return field{name: name, read: func(n *yaml.Node) { r.core.text(n, "expect."+name, into) }}
	}
	r.core.object(n, "expect", text("campaign", &e.Campaign), text("step", &e.Step), text("channel", &e.Channel),
		text("variant", &e.Variant), text("customer", &e.Customer))
	return e
}

// jsonObject returns a YAML mapping as JSON with sorted keys; nil after an error.
func (r *scenarioReader) jsonObject(n *yaml.Node, what string) []byte {
	if r.core.drawn(Shape{Kind: ShapeMap, Key: ShapeText, Item: &Shape{Kind: ShapeJSON}}) {
		return nil
	}
	var value map[string]any
	err := n.Decode(&value)
	if n.Kind != yaml.MappingNode || err != nil {
		r.core.fail(n, "%s must be an object", what)
		return nil
	}
	text, err := json.Marshal(value)
	if err != nil {
		r.core.fail(n, "%s: %v", what, err)
		return nil
	}
	return text
}

// defaultCustomer is the customer of a step that names nobody: most scenarios have one customer.
const defaultCustomer = "customer"
