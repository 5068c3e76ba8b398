package message_test

import (
	"strings"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/message"
)

// What Liquid's own documentation says filters give; each also where the library differs.
func TestFilters(t *testing.T) {
	f := func(source, values, want string) {
		t.Helper()
		for range 5 { // an order that changes would show
			got, err := message.NewRenderer().Render([]program.Field{{Name: "body", Source: source}}, []byte(values), noon)
			if err != nil {
				t.Errorf("%s: error %v", source, err)
			} else if got[0].Source != want {
				t.Errorf("%s with %s: %q; want %q", source, values, got[0].Source, want)
			}
		}
	}
	const object = `{"trigger.properties.o":{"z":1,"a":2,"m":3.5,"b":"x"}}`
	f("{% for kv in trigger.properties.o %}{{kv[0]}}={{kv[1]}};{% endfor %}", object, "z=1;a=2;m=3.5;b=x;")
	f("{{ trigger.properties.o.m }} {{ trigger.properties.o.size }}", object, "3.5 4")
	f("{{ trigger.properties.o | json }}", object, `{"z":1,"a":2,"m":3.5,"b":"x"}`)
	f("{{ trigger.properties.o | join: ' ' }}", object, "1 2 3.5 x")
	const count = `{"trigger.properties.n":3,"trigger.properties.l":["a","b","c"],"trigger.properties.k":1}`
	f("{% for i in (1..trigger.properties.n) %}{{ i }}{% endfor %}", count, "123")
	f("{% for i in trigger.properties.l limit:trigger.properties.k %}{{ i }}{% endfor %}", count, "a")
	f("{{ trigger.properties.l[trigger.properties.k] }}", count, "b")
	f("{{ trigger.properties.l.size }}{{ trigger.properties.l.first }}{{ trigger.properties.l.last }}", count, "3ac")
	f("{% assign n = trigger.properties.n | minus: 1 %}{% for i in (1..n) %}{{ i }}{% endfor %}", count, "12")
	f("{{ 2.25 | divided_by: 2 }} {{ 7 | divided_by: 2 }} {{ -7 | divided_by: 2 }} {{ 7.0 | divided_by: 2 }}", "", "1.125 3 -4 3.5")
	f("{{ -7 | modulo: 3 }} {{ 7 | modulo: 3 }} {{ 7.5 | modulo: 2 }}", "", "2 1 1.5")
	f("{{ 4 | at_least: 5 }} {{ 4 | at_most: 3 }} {{ 1.2 | ceil }} {{ 1.8 | floor }}", "", "5 3 2 1")
	f("{{ 'a b a' | remove_last: 'a' }}|{{ 'a b a' | replace_last: 'a', 'c' }}", "", "a b |a b c")
	f("{{ 'one two' | base64_encode }} {{ 'b25l' | base64_decode }}", "", "b25lIHR3bw== one")
	f("{{ t | newline_to_br }}{% assign t = 'x' %}", "", "")
	const items = `{"trigger.properties.l":[{"n":"x","q":2,"ok":true},{"n":"y","q":1.5,"ok":false}]}`
	f("{{ trigger.properties.l | map: 'n' | join: ',' }} {{ trigger.properties.l | sum: 'q' }}", items, "x,y 3.5")
	f("{% assign w = trigger.properties.l | where: 'ok' %}{{ w.size }}{{ w[0].n }}", items, "1x")
	f("{% assign w = trigger.properties.l | where: 'n', 'y' %}{{ w[0].q }}", items, "1.5")
	f("{% assign s = trigger.properties.l | sort: 'q' %}{{ s[0].n }}", items, "y")
	f("{{ 'now' | date: '%Y-%m-%d %H:%M:%S' }} {{ now }}", "", "2026-03-01 10:00:00 2026-03-01T10:00:00Z")
	f("{{ '2026-03-01 10:00:00' | date: '%H:%M %z' }}", "", "10:00 +0000")
	f("{{ 'soon' | date: '%H' }}{{ '' | date: '%H' }}{{ 0 | date: '%Y' }}", "", "soon1970")
	f("{{ trigger.properties.x | date: '%H:%M' }}", `{"trigger.properties.x":"now"}`, "now")
}

// The zone of the machine changes nothing.
func TestDateIgnoresTheMachine(t *testing.T) {
	before := time.Local
	t.Cleanup(func() { time.Local = before })
	time.Local = time.FixedZone("somewhere", 9*60*60)
	got, err := message.NewRenderer().Render([]program.Field{{Name: "b", Source: "{{ '2026-03-01 10:00' | date: '%s' }}"}}, nil, 0)
	if err != nil || got[0].Source != "1772359200" {
		t.Errorf("unexpected %v, error %v", got, err)
	}
}

// What would never hold is refused when a campaign is checked.
func TestBlankIsRefused(t *testing.T) {
	for _, word := range []string{"blank", "empty"} {
		source := "{% if trigger.properties.a == " + word + " %}x{% endif %}"
		_, err := message.NewRenderer().Variables([]program.Field{{Name: "body", Source: source}})
		if err == nil || !strings.Contains(err.Error(), "not supported") {
			t.Errorf("%s: unexpected error %v", source, err)
		}
	}
}
