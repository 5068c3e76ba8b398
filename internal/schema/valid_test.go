package schema

import (
	"bytes"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/parse"
)

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := jsonschema.UnmarshalJSON(bytes.NewReader(JSON()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("campaign.json", text); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("campaign.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func language(t *testing.T) *expr.Language {
	t.Helper()
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	return lang
}

// What the parser takes is valid under the schema: every document in the repository.
func TestAccepts(t *testing.T) {
	lang, schema := language(t), compiled(t)
	kinds := map[string]int{}
	for _, d := range corpus(t) {
		if parses(t, lang, d.root) != nil {
			continue
		}
		kinds[d.kind]++
		if err := schema.Validate(asJSON(t, d.root)); err != nil {
			t.Errorf("%s line %d: %v", d.file, d.root.Line, err)
		}
	}
	for _, kind := range parse.Kinds() {
		if kinds[kind] < 3 {
			t.Errorf("only %d documents of kind %s were found", kinds[kind], kind)
		}
	}
}

// What several fields say together, and the outermost fields: the schema and the parser
// agree on each.
func TestTogether(t *testing.T) {
	lang, schema := language(t), compiled(t)
	f := func(ok bool, kind, spec string) {
		t.Helper()
		var n yaml.Node
		text := "apiVersion: nudge/v1\nkind: " + kind + "\nmetadata: {name: a}\nspec: " + spec
		if err := yaml.Unmarshal([]byte(text), &n); err != nil {
			t.Fatal(err)
		}
		parsed, valid := parses(t, lang, n.Content[0]), schema.Validate(asJSON(t, n.Content[0]))
		if (parsed == nil) != ok || (valid == nil) != ok {
			t.Errorf("%s\nparser: %v\nschema: %v\nwant taken: %v", spec, parsed, valid, ok)
		}
	}
	steps := func(ok bool, step string) {
		t.Helper()
		f(ok, "Campaign", "{trigger: {event: {name: E}}, steps: [{id: x, "+step+"}]}")
	}
	spec := func(ok bool, fields string) {
		t.Helper()
		f(ok, "Campaign", "{trigger: {event: {name: E}}, steps: [{id: x, exit: {}}], "+fields+"}")
	}
	trigger := func(ok bool, text string) {
		t.Helper()
		f(ok, "Campaign", "{trigger: {"+text+"}, steps: [{id: x, exit: {}}]}")
	}
	trigger(false, "")
	trigger(false, "event: {name: E}, count: {event: E, reaches: 2}")
	trigger(true, "count: {event: E, reaches: 2}")
	spec(false, "recheck: before_send")
	spec(true, "recheck: before_send, audience: 'true'")
	spec(true, "audience: true")
	spec(false, "reentry: {mode: cooldown}")
	spec(false, "reentry: {cooldown: 1d}")
	spec(true, "reentry: {mode: cooldown, cooldown: 1d}")
	spec(false, "goals: [{id: g, event: G, from: delivery}]")
	spec(true, "goals: [{id: g, event: G, from: delivery, window: 1d}]")
	spec(true, "goals: [{id: g, event: G, from: entry, reverse_on: R}]")
	spec(true, "goals: [{id: g, event: G, reverse_on: {event: R, match: order}}]")
	spec(false, "goals: [{id: g, event: G, reverse_on: [R]}]")
	spec(false, "policy: {preempt: true}")
	spec(true, "policy: {preempt: false}")
	spec(true, "policy: {preempt: true, group: g}")
	spec(true, "policy: {holdout: {percent: 2.25}}")
	spec(false, "policy: {holdout: {percent: 2.251}}")
	spec(true, "status: paused")
	spec(false, "status: stopped")
	spec(true, "status: {state: paused, timers: run}")
	spec(false, "status: {timers: run}")
	steps(false, "goto: end")
	steps(false, "delay: 1h, exit: {}")
	steps(true, "delay: {for: 1h, from: entry}")
	steps(false, "delay: {from: entry}")
	steps(false, "delay: 5")
	steps(true, "exit: null")
	steps(false, "exit: done")
	steps(false, "wait: {}")
	steps(true, "wait: {for: [{event: F}]}")
	steps(false, "wait: {for: [{event: F}], restart_on: {event: G}}")
	steps(true, "wait: {timeout: 1h, restart_on: {event: G}}")
	steps(false, "send: {}")
	steps(true, "send: {channels: [a, b]}")
	steps(false, "send: {channel: a, template: t, inline: {body: x}}")
	steps(true, "send: {channel: a, inline: {body: 5, title: ''}}")
	steps(false, "send: {channel: a, inline: {}}")
	steps(false, "send: {channel: a, inline: {'a b': x}}")
	steps(false, "branch: []")
	steps(false, "set: {}")
	steps(true, "set: {tags: [a]}")
	steps(true, "set: {tags: {remove: [a]}, traits: {a: {cel: now}, b: [1, {c: null}]}}")
	steps(false, "experiment: {variants: [{id: a}]}")
	steps(true, "experiment: {variants: [{id: a}, {id: b, weight: 3}]}")
	f(true, "Channel", "{type: console}")
	f(false, "Channel", "{type: webhook}")
	f(false, "Channel", "{type: console, url: 'http://x'}")
	f(true, "Channel", "{type: webhook, url: 'http://x'}")
	f(false, "Template", "{}")
	f(true, "Template", "{body: x}")
	f(false, "Policy", "{caps: [{name: a, limit: 1}]}")
	f(false, "Policy", "{caps: [{name: a, limit: 1, window: 1d, per: day}]}")
	f(true, "Policy", "{caps: [{name: a, limit: 1, per: day}]}")
	f(true, "Policy", "{quiet_hours: {from: '22:00', to: '24:00'}}")
	f(false, "Policy", "{quiet_hours: {from: '22:00', to: '24:01'}}")
	for _, ok := range []string{"track: E", "broadcast: E", "advance: 1h", "identify: {traits: {}}", "expect: []"} {
		f(true, "Scenario", "{at: 2026-03-01T00:00:00Z, steps: [{"+ok+"}]}")
	}
	for _, bad := range []string{
		"customer: c", "track: E, advance: 1h", "identify: {traits: {}}, track: E", "broadcast: E, customer: c",
	} {
		f(false, "Scenario", "{at: 2026-03-01T00:00:00Z, steps: [{"+bad+"}]}")
	}
	f(false, "Scenario", "{at: 2026-03-01, steps: [{advance: 1h}]}")
	f(false, "Segment", "{}")
}
