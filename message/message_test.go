package message_test

import (
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/message"
)

func TestVariables(t *testing.T) {
	f := func(source, want string) {
		t.Helper()
		vars, err := message.NewRenderer().Variables([]program.Field{{Name: "body", Source: source}})
		var words []string
		for _, v := range vars {
			word := v.Path
			if v.Optional {
				word += "?"
			}
			words = append(words, word)
		}
		got := strings.Join(words, " ")
		if err != nil {
			got = err.Error()
		}
		exact := strings.HasPrefix(want, "customer.") || strings.HasPrefix(want, "trigger.")
		if !strings.Contains(got, want) || want == "" && got != "" || exact && got != want {
			t.Errorf("%s: unexpected %q; want %q", source, got, want)
		}
	}
	f("plain", "")
	f("Hi {{ customer.traits.name }}", "customer.traits.name")
	f("Hi {{ customer.traits.name | default: 'you' }}", "customer.traits.name?")
	f("{% if trigger.properties.total > 10 %}big{% endif %}", "trigger.properties.total?")
	const total = "{{ trigger.properties.total }}"
	for condition, want := range map[string]string{
		"trigger.properties.total":                                      "trigger.properties.total?",
		"trigger.properties.total > 1 and trigger.properties.total < 5": "trigger.properties.total?",
		`trigger.properties.total == "or"`:                              "trigger.properties.total?",
		"trigger.properties.total or trigger.properties.total == 1":     "trigger.properties.total",
		"trigger.properties.total != 5":                                 "trigger.properties.total",
		"trigger.properties.total == nil":                               "trigger.properties.total",
		"trigger.properties.other":                                      "trigger.properties.other? trigger.properties.total",
	} {
		f("{% if "+condition+" %}"+total+"{% endif %}", want)
	}
	f("{% if trigger.properties.total %}x{% else %}"+total+"{% endif %}", "trigger.properties.total")
	f("{% if trigger.properties.total %}{% for i in (1..2) %}"+total+"{% endfor %}{% endif %}", "trigger.properties.total?")
	f("{% if trigger.properties.total %}x{% endif %}"+total, "trigger.properties.total")
	f("{% unless trigger.properties.total %}"+total+"{% endunless %}", "trigger.properties.total")
	f(`{{ "customer.traits.nope" }}`, "")
	f("{% assign v = trigger.properties.total %}{{ v }}", "trigger.properties.total")
	f("{%- assign v = trigger.properties.total | default: 0 %}{{ v }}", "trigger.properties.total?")
	f("{% if trigger.properties.total %}{% assign v = trigger.properties.total %}{% endif %}", "trigger.properties.total?")
	f("{{ customer.nmae }}", `"customer.nmae" is no variable`)
	f("{{ customer.traits.name", "body:")
	f("{% if %}", "body:")
}

// What a text names must be there: a wrong root, a name that nobody gave, a filter that
// does not exist are found when the campaign is checked, not in the customer's mail.
func TestUnknownNames(t *testing.T) {
	f := func(source, want string) {
		t.Helper()
		_, err := message.NewRenderer().Variables([]program.Field{{Name: "body", Source: source}})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v; want %q", source, err, want)
		}
	}
	f("{{ nope }}", `"nope" is no variable`)
	f("{{ event.properties.total }}", `"event" is no variable`)
	f("{{ custmer.traits.name }}", `"custmer" is no variable`)
	f("{{ customer }}", `"customer" is no variable`)
	f(`{{ trigger["properties"] }}`, `"trigger" is no variable`)
	f("{{ trigger.properties.a | default: fallback }}", `"fallback" is no variable`)
	f("{% for i in items %}{% endfor %}", `"items" is no variable`)
	f("{% if vip == true %}x{% endif %}", `"vip" is no variable`)
	f("{{ trigger.properties.a | shout }}", `"shout" is no filter`)
	f(`{% include "x" %}`, "include is not supported")
	f("{% for l in trigger.properties.lines reversed limit:3 %}{{ forloop.index }}{{ l.sku }}{{l[0]}}{% endfor %}", "")
	f("{% assign x = trigger.properties.a | plus: 1.5 %}{{ x | times: 2 | round: 1 }}", "")
	f("{%- capture y -%}{{ customer.id }}{%- endcapture -%}{{ y | upcase }}", "")
	f("{% for i in (1..3) %}{% cycle 'a', 'b' %}{% endfor %}", "")
	f("{% case trigger.properties.a %}{% when 'x', 'y' %}1{% else %}2{% endcase %}", "")
	f("{% raw %}{{ nope }}{% endraw %}{% comment %}{{ nope | shout }}{% endcomment %}", "")
	f(`{{ "now" | date: "%Y" }}{{ 'a|b nope' }}`, "")
	f("{% unless trigger.properties.a contains 'x' and chain.key != '' %}{{ campaign.name }}{% endunless %}", "")
	f("{{ customer.traits.first-name | default: \"it's you\" }}", "")
}

func TestRender(t *testing.T) {
	r := message.NewRenderer()
	fields := []program.Field{
		{Name: "subject", Source: "Hi {{ customer.traits.name | default: 'you' }}"},
		{Name: "body", Source: "{{ trigger.properties.cart.total }} {{ trigger.properties.items | size }}"},
	}
	got, err := r.Render(fields, []byte(`{"trigger.properties.cart.total":30.5,"trigger.properties.items":["a","b"]}`), 0)
	if err != nil || got[0].Source != "Hi you" || got[1].Source != "30.5 2" {
		t.Errorf("unexpected %+v, error %v", got, err)
	}
	bomb := []program.Field{{Name: "body", Source: "{% for i in (1..1000000) %}aaaaaaaaaaaaaaaaaaaa{% endfor %}"}}
	if _, err := r.Render(bomb, nil, 0); err == nil || !strings.Contains(err.Error(), "over 262144 bytes") {
		t.Errorf("unexpected error %v; want the limit named", err)
	}
}
