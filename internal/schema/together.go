package schema

import (
	"slices"

	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
)

// scalars returns the definitions of single values, by the names of the parser's shapes.
// Texts may also be numbers, true or false, because YAML reads them so where the author
// leaves out the quotes, and the parser accepts that. The patterns accept at least what the
// parser accepts.
func scalars() object {
	const (
		number   = `[0-9]{1,12}(ms|s|m|h|d|w)`
		duration = `^(` + number + `)+$`
		clock    = `^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$`
		instant  = `^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{1,2}:[0-9]{2}:[0-9]{2}([.,][0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$`
	)
	text := []string{"string", "number", "boolean"}
	return object{
		{"text", object{{"type", text}, {"minLength", 1}}},
		{"emptyText", object{{"type", text}}},
		{"name", object{{"type", []string{"string", "integer", "boolean"}}, {"pattern", program.NamePattern}}},
		{"literal", object{{"type", []string{"string", "number", "boolean", "null"}}}},
		{"duration", object{
			{"type", "string"},
			{"pattern", duration},
			{"allOf", []object{{{"pattern", "[1-9]"}}}}, // more than zero
			{"examples", []string{"90s", "15m", "24h", "14d", "2w"}},
		}},
		{"offset", object{
			{"type", "string"},
			{"pattern", `^[+-]?(` + number + `)+$`},
			{"examples", []string{"-7d", "0d", "3d"}},
		}},
		{"clock", object{{"type", "string"}, {"pattern", clock}, {"examples", []string{"09:00", "21:30"}}}},
		{"instant", object{
			{"type", "string"},
			{"pattern", instant},
			{"examples", []string{"2026-03-01T00:00:00Z", "2026-03-01T09:00:00+02:00"}},
		}},
		{"zone", object{{"type", "string"}, {"examples", []string{"customer", "UTC", "Europe/Kyiv"}}}},
		{"expression", object{{"type", text}, {"examples", []string{"event.properties.total"}}}},
		{"predicate", object{
			{"type", []string{"string", "boolean"}},
			{"examples", []string{`event.properties.value >= 20`, `customer.traits.level in ["silver", "gold"]`}},
		}},
		{"trait", object{
			{"type", "string"},
			{"pattern", `^customer\.traits(\.[^.]+){0,16}$`},
			{"examples", []string{"customer.traits.level"}},
		}},
		{"path", object{
			{"type", "string"},
			{"pattern", `^\$`},
			{"examples", []string{"$.contact.phone", "$.lines[0].sku"}},
		}},
	}
}

// leastItems returns the smallest number of elements of the list at a path; the shapes do
// not have it. A list without a rule may be empty.
func leastItems(path string) int {
	switch path {
	case "Campaign.steps", "Campaign.steps.branch", "Campaign.steps.until.days":
		return 1
	case "Campaign.steps.experiment.variants":
		return 2
	}
	return 0
}

// oneOf returns a schema for each name that requires the field of that name.
func oneOf(names ...string) []object {
	var all []object
	for _, name := range names {
		all = append(all, object{{"required", []string{name}}})
	}
	return all
}

// is returns a schema that holds where a field has a value.
func is(field string, value any) object {
	return object{
		{"properties", object{{field, object{{"const", value}}}}},
		{"required", []string{field}},
	}
}

// has returns a schema that holds where all fields are there.
func has(fields ...string) object { return object{{"required", fields}} }

// not returns the opposite of a schema.
func not(o object) object { return object{{"not", o}} }

// together returns what the fields of the object at a path require of each other; nil where
// that is nothing. A test compares each rule with the parser.
func together(path string, s *parse.Shape) object {
	switch path {
	case "Campaign":
		return object{{"dependentRequired", object{{"recheck", []string{"audience"}}}}}
	// A trigger has one kind.
	case "Campaign.trigger":
		return object{{"minProperties", 1}, {"maxProperties", 1}}
	// The length of a cooldown is given exactly when there is one.
	case "Campaign.reentry":
		return object{
			{"if", is("mode", "cooldown")},
			{"then", has("cooldown")},
			{"else", not(has("cooldown"))},
		}
	// A goal that counts from a delivery needs a window.
	case "Campaign.goals":
		return object{{"if", is("from", "delivery")}, {"then", has("window")}}
	// Preempting chains makes sense only within a group.
	case "Campaign.policy":
		return object{{"if", is("preempt", true)}, {"then", has("group")}}
	case "Campaign.steps":
		var verbs []string
		for _, f := range s.Fields {
			// Every field of a step but these is a verb, and a step has exactly one.
			if !slices.Contains([]string{"id", "goto", "loop"}, f.Name) {
				verbs = append(verbs, f.Name)
			}
		}
		return object{{"oneOf", oneOf(verbs...)}}
	// A wait ends by an event, by time, or by the first of both; only a timeout can be
	// restarted.
	case "Campaign.steps.wait":
		return object{
			{"anyOf", oneOf("for", "timeout")},
			{"dependentRequired", object{{"restart_on", []string{"timeout"}}}},
		}
	// The texts are written here or in a template, not in both.
	case "Campaign.steps.send":
		return object{
			{"anyOf", oneOf("channel", "channels")},
			{"not", has("template", "inline")},
		}
	case "Campaign.steps.set":
		return object{{"anyOf", oneOf("traits", "tags")}}
	// Only a webhook has an address, and it needs one.
	case "Channel":
		return object{{"if", is("type", "webhook")}, {"then", has("url")}, {"else", not(has("url"))}}
	// A cap counts over a window or over calendar periods.
	case "Policy.caps":
		return object{{"oneOf", oneOf("window", "per")}}
	// A step of a scenario is one call, or an advance of the clock, and may end with
	// expectations.
	case "Scenario.steps":
		return object{
			{"anyOf", oneOf("identify", "track", "broadcast", "advance", "expect")},
			{"not", object{{"anyOf", []object{
				has("identify", "track"), has("identify", "broadcast"), has("identify", "advance"),
				has("track", "broadcast"), has("track", "advance"), has("broadcast", "advance"),
				has("broadcast", "customer"),
			}}}},
		}
	}
	return nil
}
