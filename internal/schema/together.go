package schema

import (
	"slices"

	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
)

// scalars are the definitions of single values. The parser takes numbers, true and
// false for texts, as YAML writes them without quotes.
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

// leastItems is how many elements a list needs at least.
func leastItems(path string) int {
	switch path {
	case "Campaign.steps", "Campaign.steps.branch", "Campaign.steps.until.days":
		return 1
	case "Campaign.steps.experiment.variants":
		return 2
	}
	return 0
}

func oneOf(names ...string) []object {
	var all []object
	for _, name := range names {
		all = append(all, object{{"required", []string{name}}})
	}
	return all
}

func is(field string, value any) object {
	return object{
		{"properties", object{{field, object{{"const", value}}}}},
		{"required", []string{field}},
	}
}

func has(fields ...string) object { return object{{"required", fields}} }

func not(o object) object { return object{{"not", o}} }

// together is what the fields of an object say together; a test holds each to the
// parser.
func together(path string, s *parse.Shape) object {
	switch path {
	case "Campaign":
		return object{{"dependentRequired", object{{"recheck", []string{"audience"}}}}}
	case "Campaign.trigger":
		return object{{"minProperties", 1}, {"maxProperties", 1}}
	case "Campaign.reentry":
		return object{
			{"if", is("mode", "cooldown")},
			{"then", has("cooldown")},
			{"else", not(has("cooldown"))},
		}
	case "Campaign.goals":
		return object{{"if", is("from", "delivery")}, {"then", has("window")}}
	case "Campaign.policy":
		return object{{"if", is("preempt", true)}, {"then", has("group")}}
	case "Campaign.steps":
		var verbs []string
		for _, f := range s.Fields {
			if !slices.Contains([]string{"id", "goto", "loop"}, f.Name) {
				verbs = append(verbs, f.Name)
			}
		}
		return object{{"oneOf", oneOf(verbs...)}}
	case "Campaign.steps.wait":
		return object{
			{"anyOf", oneOf("for", "timeout")},
			{"dependentRequired", object{{"restart_on", []string{"timeout"}}}},
		}
	case "Campaign.steps.send":
		return object{
			{"anyOf", oneOf("channel", "channels")},
			{"not", has("template", "inline")},
		}
	case "Campaign.steps.set":
		return object{{"anyOf", oneOf("traits", "tags")}}
	case "Channel":
		return object{{"if", is("type", "webhook")}, {"then", has("url")}, {"else", not(has("url"))}}
	case "Policy.caps":
		return object{{"oneOf", oneOf("window", "per")}}
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
