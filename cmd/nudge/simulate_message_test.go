package main

import (
	"fmt"
	"strings"
	"testing"
)

// From the event to the message: values stay what they were sent as, names may have blanks and
// dots, and what is missing drops the message with its name.
func TestSimulateMessage(t *testing.T) {
	f := func(body, properties, want string) {
		t.Helper()
		definitions := fmt.Sprintf("apiVersion: nudge/v1\nkind: Campaign\nmetadata: {name: c}\nspec:\n"+
			"  trigger: {event: {name: E}}\n  steps: [{id: s, send: {channel: x, inline: {body: %q}}}]\n", body)
		call := `{"type":"track","userId":"a","event":"E","timestamp":"2026-03-01T10:00:00Z","messageId":"m","properties":` +
			properties + "}\n"
		if got := simulated(t, definitions, call)["deliveries.ndjson"]; !strings.Contains(got, want) {
			t.Errorf("%s with %s\n%s; want %s", body, properties, got, want)
		}
	}
	body := func(text string) string { return fmt.Sprintf(`"message":{"body":%q}`, text) }
	const id = "12345678901234567890"
	f("{{ trigger.properties.id }}", `{"id":`+id+`}`, body(id))
	f("{{ trigger.properties.o.id | plus: 1 }}", `{"o":{"id":`+id+`}}`, body("12345678901234567891"))
	f("{{ trigger.properties['Total Price'] | money: 'EUR' }}", `{"Total Price":12.5}`, body("12.50"))
	f("{{ trigger.properties['a.b'] }}{{ trigger.properties.a.b }}", `{"a.b":1,"a":{"b":2}}`, body("12"))
	f("{{ trigger.properties['Line Items'].first.sku }}", `{"Line Items":[{"sku":"x"}]}`, body("x"))
	f("{{ trigger.properties['Line Items'][0].sku }}", `{"Line Items":[{"sku":"x"}]}`, body("x"))
	f("{% for l in trigger.properties.l %}{{ l }}{% endfor %}", `{}`, `"reason":"missing_variable"`)
	f("{% for l in trigger.properties.l %}{{ l }}{% else %}none{% endfor %}", `{"l":null}`, body("none"))
	const fallback = "{{ trigger.properties.a | default: trigger.properties.b }}"
	f(fallback, `{"a":"x"}`, body("x"))
	f(fallback, `{"a":"","b":"y"}`, body("y"))
	f(fallback, `{"a":""}`, `"reason":"missing_variable"`)
	f(fallback, `{}`, `"reason":"missing_variable"`)
	f("{% comment %}{{ trigger.properties.a }}{% endcomment %}x", `{}`, body("x"))
	f("{{ trigger.properties.a |\n upcase }}", `{"a":"ж"}`, body("Ж"))
}
