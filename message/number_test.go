package message_test

import (
	"testing"

	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/message"
)

// Numbers print as they were sent, whatever their size and whatever was calculated.
func TestNumbers(t *testing.T) {
	r := message.NewRenderer()
	f := func(source, value, want string) {
		t.Helper()
		got, err := r.Render([]program.Field{{Name: "body", Source: source}}, []byte(`{"trigger.properties.n": `+value+`}`), 0)
		if err != nil || got[0].Source != want {
			t.Errorf("%s with %s: %v, error %v; want %q", source, value, got, err, want)
		}
	}
	const plain = "{{ trigger.properties.n }}"
	f(plain, "30", "30")
	f(plain, "12345678", "12345678")
	f(plain, "9007199254740995", "9007199254740995")
	f(plain, "1234567.89", "1234567.89")
	f(plain, "0.00001", "0.00001")
	f(plain, "-1000000", "-1000000")
	f(plain, `[1000000, 2000000.5]`, "10000002000000.5")
	f("{% for l in trigger.properties.n %}{{ l.q }};{% endfor %}", `[{"q": 1000000}, {"q": 2}]`, "1000000;2;")
	f(`{{ "id-" | append: trigger.properties.n }}`, "1000000", "id-1000000")
	f("{{ trigger.properties.n | times: 2 }}", "1234567.5", "2469135")
	f("{{ trigger.properties.n | times: trigger.properties.n }}", "1000", "1000000")
	f("{{ trigger.properties.n | plus: 1 }}", "1000000", "1000001")
	f("{{ trigger.properties.n | minus: 1 | abs }}", "-1000000", "1000001")
	f("{{ trigger.properties.n | modulo: 7 }}", "30", "2")
	f("{{ trigger.properties.n | round: 2 }}", "39.456", "39.46")
	f("{{ trigger.properties.n | divided_by: 4 }}", "30", "7")
	f("{{ trigger.properties.n | divided_by: 4.0 }}", "30", "7.5")
	f("{{ trigger.properties.n | divided_by: trigger.properties.n }}", "30", "1")
	f("{% if trigger.properties.n > 999999 %}big{% endif %}", "1000000", "big")
	f("{% if trigger.properties.n == 1000000 %}same{% endif %}", "1000000", "same")
	f("{{ trigger.properties.n | json }}", `{"a": 1000000}`, `{"a":1000000}`)
}
