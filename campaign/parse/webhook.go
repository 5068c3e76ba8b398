package parse

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/nudge-engine/nudge/campaign/program"
)

// webhook reads {mapping, required, types, defaults}. The ids of the customer and the message are
// mapped from fields of the same name in the body unless the mapping says otherwise.
func (r *triggerReader) webhook(n *yaml.Node, p *program.Program) *program.WebhookTrigger {
	t := &program.WebhookTrigger{Event: program.WebhookPrefix + p.Name}
	at := func(n *yaml.Node, name string) *program.Mapped {
		for i := range t.Mapping {
			if t.Mapping[i].Name == name {
				return &t.Mapping[i]
			}
		}
		r.core.fail(n, "trigger.webhook: %q is not in the mapping", name)
		return new(program.Mapped)
	}
	// What is said about a name is kept until the mapping is known.
	type said struct {
		key     *yaml.Node
		name    string
		kind    string
		literal *program.Literal
	}
	var required, types, defaults []said
	r.core.object(n, "trigger.webhook",
		field{name: "mapping", required: true, read: func(n *yaml.Node) {
			r.members(n, "mapping", func(key, value *yaml.Node) {
				t.Mapping = append(t.Mapping, program.Mapped{Name: key.Value, Path: r.bodyPath(value)})
			})
		}},
		field{name: "required", read: func(n *yaml.Node) {
			r.core.list(n, "required", program.MaxMapped, func(n *yaml.Node) {
				x := said{key: n}
				r.core.text(n, "required", &x.name)
				required = append(required, x)
			})
		}},
		field{name: "types", read: func(n *yaml.Node) {
			r.members(n, "types", func(key, value *yaml.Node) {
				kind := hookTypes[r.core.choice(value, "types."+key.Value, hookTypes...)]
				types = append(types, said{key: key, name: key.Value, kind: kind})
			})
		}},
		field{name: "defaults", read: func(n *yaml.Node) {
			r.members(n, "defaults", func(key, value *yaml.Node) {
				literal := r.literal(value, "defaults."+key.Value)
				defaults = append(defaults, said{key: key, name: key.Value, literal: literal})
			})
		}})
	for _, name := range []string{"userId", "anonymousId", "messageId"} {
		if !slices.ContainsFunc(t.Mapping, func(m program.Mapped) bool { return m.Name == name }) {
			t.Mapping = append(t.Mapping, program.Mapped{Name: name, Path: []string{name}})
		}
	}
	for _, x := range required {
		at(x.key, x.name).Required = true
	}
	for _, x := range types {
		at(x.key, x.name).Type = x.kind
	}
	for _, x := range defaults {
		if m := at(x.key, x.name); x.literal != nil && x.literal.JSON != "null" {
			m.Default = x.literal
		}
	}
	return t
}

// members reads an object whose keys the author chooses, and calls each for its members.
func (r *triggerReader) members(n *yaml.Node, what string, each func(key, value *yaml.Node)) {
	if r.core.draw != nil {
		item := r.core.probe(func(value *yaml.Node) { each(&yaml.Node{Kind: yaml.ScalarNode, Value: "x"}, value) })
		r.core.drawn(Shape{Kind: ShapeMap, Key: ShapeText, Most: program.MaxMapped, Item: item})
		return
	}
	if n.Kind != yaml.MappingNode || len(n.Content) > 2*program.MaxMapped {
		r.core.fail(n, "%s must be an object with at most %d members", what, program.MaxMapped)
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Value == "" || len(key.Value) > program.MaxHookID || seen[key.Value] {
			r.core.fail(key, "%s: the name %q is empty, too long or used twice", what, key.Value)
			continue
		}
		seen[key.Value] = true
		each(key, n.Content[i+1])
	}
}

// bodyPath reads a path into the body of a webhook: $.lines[0].sku -> [lines 0 sku].
func (r *triggerReader) bodyPath(n *yaml.Node) []string {
	if r.core.drawn(Shape{Kind: ShapePath}) {
		return nil
	}
	s, ok := r.core.scalar(n, "mapping")
	if !ok {
		return nil
	}
	rest, ok := strings.CutPrefix(s, "$")
	var path []string
	for ok && rest != "" {
		end := strings.IndexAny(rest[1:], ".[") + 1
		if end == 0 {
			end = len(rest)
		}
		part := rest[1:end]
		if rest[0] == '[' {
			part, ok = strings.CutSuffix(part, "]")
			if _, err := strconv.ParseUint(part, 10, 16); err != nil {
				ok = false
			}
		} else if rest[0] != '.' || strings.ContainsAny(part, "]*") {
			ok = false
		}
		ok = ok && part != "" && len(path) < maxPath
		path, rest = append(path, part), rest[end:]
	}
	if !ok {
		r.core.fail(n, "mapping %q is no path; write for example $.contact.phone or $.lines[0].sku", s)
		return nil
	}
	return path
}

// hookTypes are the types that a mapped value can be checked for.
//
//nudge:constant read only
var hookTypes = []string{"text", "number", "boolean", "time", "email", "e164", "list", "object"}
