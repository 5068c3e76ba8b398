package definition_test

import (
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/internal/definition"
)

// advised gives the advice for campaigns that are the specs given, named a, b, ...,
// together with other documents.
func advised(t *testing.T, others string, specs ...string) []string {
	t.Helper()
	var text strings.Builder
	text.WriteString(others)
	for i, spec := range specs {
		text.WriteString("---\napiVersion: nudge/v1\nkind: Campaign\nmetadata: {name: " + string(rune('a'+i)) + "}\nspec:\n" + spec)
	}
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	docs, err := definition.Parse(lang, []definition.File{{Name: "f.yaml", Text: []byte(text.String())}},
		definition.Options{Loose: true})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, a := range definition.Advise(docs, definition.Sample{Event: "Known", Properties: []string{"total"}}) {
		all = append(all, a.Campaign+": "+a.Message)
	}
	return all
}

// A cap that is smaller than what one chain sends in its window is told of; one that the
// chain keeps is not.
func TestAdviseCaps(t *testing.T) {
	const head = "  trigger: {event: {name: E}}\n"
	f := func(want, limit, rest string) {
		t.Helper()
		policy := "apiVersion: nudge/v1\nkind: Policy\nmetadata: {name: p}\nspec: {caps: [{name: c, " + limit + "}]}\n"
		got := advised(t, policy, head+rest)
		if want == "" && len(got) > 0 || want != "" && (len(got) != 1 || !strings.Contains(got[0], want)) {
			t.Errorf("cap %s, %s\ngot %q; want %q", limit, rest, got, want)
		}
	}
	const drip = "  policy: {caps: [c]}\n  steps: [{id: a, send: {channel: x}}, {id: d, delay: 24h}, " +
		"{id: b, send: {channels: [x, y]}}]\n"
	f("cap c lets 2 through in 25h, and a chain sends up to 3", "limit: 2, window: 25h",
		strings.ReplaceAll(drip, "24h", "1h"))
	f("cap c lets 1 through in 1d, and a chain sends up to 2", "limit: 1, window: 24h", drip)
	f("", "limit: 2, window: 24h", drip) // exactly a day later counts no more
	f("", "limit: 1, channel: y, window: 7d", drip)
	f("up to 2", "limit: 1, channel: x, window: 7d", drip)
	f("", "limit: 1, category: news, window: 7d", drip)
	f("", "limit: 2, per: day", drip)
	f("in 1w, and a chain sends up to 3", "limit: 2, per: week", drip)
	f("", "limit: 1, window: 7d", strings.Replace(drip, "caps: [c]", "caps: [c], category: transactional", 1))
	f("", "limit: 1, window: 7d", strings.Replace(drip, "caps: [c]", "priority: 1", 1)) // the cap is not asked
	// Ways that exclude each other are not added up; a wait lasts as long as nobody reacts.
	f("", "limit: 1, window: 7d", "  policy: {caps: [c]}\n  steps: [{id: w, branch: [{when: 'customer.id == \"a\"', goto: a}, "+
		"{goto: b}]}, {id: a, send: {channel: x}, goto: end}, {id: b, send: {channel: x}}]\n")
	f("", "limit: 1, window: 24h", "  policy: {caps: [c]}\n  steps: [{id: a, send: {channel: x}}, "+
		"{id: w, wait: {timeout: 24h, for: [{event: F, goto: end}]}}, {id: b, send: {channel: x}}]\n")
	f("", "limit: 1, window: 24h", "  policy: {caps: [c]}\n  steps: [{id: a, send: {channel: x}}, "+
		"{id: w, wait: {for: [{event: F, goto: b}]}}, {id: b, send: {channel: x}}]\n")
}

// A variable without a fallback that nothing is known to set is told of, once.
func TestAdviseVariables(t *testing.T) {
	// shows: 133
	f := func(want, others, spec string) {
		t.Helper()
		got := advised(t, others, spec)
		if want == "" && len(got) > 0 || want != "" && (len(got) != 1 || !strings.Contains(got[0], want)) {
			t.Errorf("%s\ngot %q; want %q", spec, got, want)
		}
	}
	says := func(trigger, body string) string {
		return "  trigger: {" + trigger + "}\n  steps: [{id: s, send: {channel: x, inline: {body: '" + body + "'}}}]\n"
	}
	scenario := func(step string) string {
		return "---\napiVersion: nudge/v1\nkind: Scenario\nmetadata: {name: z}\nspec: {at: 2026-01-01T00:00:00Z, steps: [{" +
			step + "}]}\n"
	}
	const other = "---\napiVersion: nudge/v1\nkind: Campaign\nmetadata: {name: z}\nspec: {trigger: {event: {name: Z}}, " +
		"steps: [{id: x, STEP}]}\n"
	does := func(step string) string { return strings.Replace(other, "STEP", step, 1) }

	f("step s names trigger.properties.totl, which no sample, scenario or step gives to an event Known", "",
		says("event: {name: Known}", "{{ trigger.properties.totl }} {{ trigger.properties.totl }}"))
	f("", "", says("event: {name: Known}", "{{ trigger.properties.total }}"))
	f("", "", says("event: {name: Known}", `{{ trigger.properties.totl | default: "x" }}`))
	f("an event Odd", "", says("event: {name: Odd}", "{{ trigger.properties.a }}"))
	f("", scenario("track: Odd, properties: {a: 1}"), says("event: {name: Odd}", "{{ trigger.properties.a.b }}"))
	f("", scenario("broadcast: Odd, properties: {a: 1}"), says("broadcast: {event: Odd}", "{{ trigger.properties.a }}"))
	f("an event Odd", scenario("track: Other, properties: {a: 1}"), says("event: {name: Odd}", "{{ trigger.properties.a }}"))
	f("", does("emit: {event: Odd, properties: {a: 1}}"), says("event: {name: Odd}", "{{ trigger.properties.a }}"))
	f("", does("start: {campaign: a}"), says("event: {name: Odd}", "{{ trigger.properties.a }}"))
	f("", "", says("event: {name: Odd, where: event.properties.a > 1}", "{{ trigger.properties.a }}"))
	f("an event Odd", "", says("event: {name: Odd, where: event.properties.ab > 1}", "{{ trigger.properties.a }}"))
	f("", "", says("event: {name: Odd, where: event.properties.ab > 1 && event.properties.a > 1}", "{{ trigger.properties.a }}"))
	f("", "", says("webhook: {mapping: {a: $.x}}", "{{ trigger.properties.a }}"))
	f("the webhook", "", says("webhook: {mapping: {a: $.x}}", "{{ trigger.properties.x }}"))
	f("", "", says("change: {path: customer.traits.level}", "{{ trigger.properties.from }}"))
	f("", "", says("date: {path: customer.traits.born}", "{{ trigger.properties.date }} {{ customer.traits.born }}"))

	f("step s names customer.traits.a, which no step sets and no scenario gives", "",
		says("event: {name: Known}", "{{ customer.traits.a }}"))
	f("", scenario("identify: {traits: {a: 1}}"), says("event: {name: Known}", "{{ customer.traits.a }}"))
	f("", does("set: {traits: {a: 1}}"), says("event: {name: Known}", "{{ customer.traits.a }}"))
	f("", "", says("event: {name: Known}", "{{ customer.id }}"))
}

// Campaigns that are not active contact nobody.
func TestAdviseActiveTwins(t *testing.T) {
	// shows: 147
	const spec = "  trigger: {event: {name: E}}\n  steps: [{id: a, send: {channel: x}}]\n"
	if got := advised(t, "", spec, spec); len(got) != 1 || !strings.Contains(got[0], "a customer gets both") {
		t.Errorf("two active campaigns: %q", got)
	}
	if got := advised(t, "", spec, spec+"  status: draft\n"); len(got) > 0 {
		t.Errorf("an active one and a draft: %q", got)
	}
}
