package message_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/message"
	"github.com/nudge-engine/nudge/message/liquid"
)

const noon = 1_772_359_200_000 // 2026-03-01T10:00:00Z

// No template and no value takes more time or memory than a message may: it is an error
// that says so.
func TestLimits(t *testing.T) {
	r := message.NewRenderer()
	f := func(name, source, n string) {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			_, err := r.Render([]program.Field{{Name: "body", Source: source}}, []byte(`{"trigger.properties.n":`+n+`}`), noon)
			var limit *liquid.LimitError
			if !errors.As(err, &limit) || !strings.Contains(err.Error(), "template_limit") {
				t.Errorf("error %v; want a limit", err)
			}
			if took := time.Since(began); took > time.Minute {
				t.Errorf("it took %s", took)
			}
		})
	}
	const n, huge = "trigger.properties.n", "2000000000"
	f("loop", "{% for i in (1.."+n+") %}{% endfor %}done", huge)
	f("loop of a constant", "{% for i in (1..2000000000) %}{% endfor %}", "1")
	f("loop backwards", "{% for i in (1.."+n+") reversed %}{% endfor %}", huge)
	f("loop far away", "{% for i in ("+n+"..9999999999999) %}{% endfor %}", "9223372036854775807")
	f("a number beyond all others", "{% for i in (1.."+n+") %}{% endfor %}", "1e300")
	f("table", "{% tablerow i in (1.."+n+") %}{% endtablerow %}", huge)
	f("loops in loops", strings.Repeat("{% for i in (1.."+n+") %}", 9)+strings.Repeat("{% endfor %}", 9), "1000")
	f("loop in a liquid tag", "{% liquid\nfor i in (1.."+n+")\nendfor %}", huge)
	for _, filter := range []string{
		"reverse", "sort", "sort_natural", "join", "uniq", "compact", "map: 'a'", "where: 'a'", "sum", "concat: r",
		"slice: 0, 9999999", "json",
	} {
		f("range "+filter, "{% assign r = (1.."+n+") %}{{ r | "+filter+" }}", huge)
	}
	double := func(step string) string {
		return "{% assign s = 'x' %}{% for i in (1.." + n + ") %}" + step + "{% endfor %}{{ s.size }}"
	}
	f("append", double("{% assign s = s | append: s %}"), "100")
	f("prepend", double("{% assign s = s | prepend: s %}"), "100")
	f("replace", double("{% assign s = s | replace: 'x', 'xx' %}"), "100")
	f("replace nothing", double("{% assign s = s | replace: '', s %}"), "100")
	f("capture", double("{% capture s %}{{ s }}{{ s }}{% endcapture %}"), "100")
	f("join", double("{% assign l = s | split: '' | concat: l %}{% assign s = l | join: s %}"), "100")
	f("split", double("{% assign s = s | append: s %}{% assign l = s | split: '' %}"), "100")
	f("concat", "{% assign l = 'a b' | split: ' ' %}{% for i in (1.."+n+") %}{% assign l = l | concat: l %}{% endfor %}", "100")
	f("truncate", double("{% assign s = s | append: 'xx' | truncate: 1, s | append: s %}"), "100")
	f("escape", double("{% assign s = s | append: '<' | append: s | escape %}"), "100")
	f("encode", double("{% assign s = s | url_encode | base64_encode | append: s | json %}"), "100")
	f("times", "{% assign s = 7 %}{% for i in (1.."+n+") %}{% assign s = s | times: s %}{% endfor %}", "100")
	f("round", "{{ 1.5 | round: "+n+" }}", huge)
	f("slice", "{{ 'abc' | slice: 0, "+n+" }}", "1e30")
	f("truncate to", "{{ 'abc' | truncate: "+n+" }}", "1e30")
	for _, format := range []string{"%999999999d", "%-999999999Y", "%^99999999999999999999B", "%099999999N", "%999999999z"} {
		f("date "+format, "{{ 'now' | date: '"+format+"' | size }}", "1")
	}
	f("date of a captured format", "{{ 'now' | date: "+n+" }}", `"%999999999d"`)
	f("much text looked at", "{% for i in (1..400) %}{% assign s = s | append: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' %}{% endfor %}"+
		"{% for i in (1..400000) %}{% if s contains 'y' %}{% endif %}{% endfor %}", "1")
	f("output", "{% for i in (1.."+n+") %}aaaaaaaaaaaaaaaaaaaaaaaaaaaaa{% endfor %}", "100000")
}

// What an author may well write is within the limits.
func TestWithinLimits(t *testing.T) {
	r := message.NewRenderer()
	f := func(source, values, want string) {
		t.Helper()
		got, err := r.Render([]program.Field{{Name: "body", Source: source}}, []byte(values), 0)
		if err != nil || got[0].Source != want {
			t.Errorf("%.80s: %v, error %v", source, got, err)
		}
	}
	f("{% for i in (1..trigger.properties.n) %}*{% endfor %}", `{"trigger.properties.n":5}`, "*****")
	f("{% for i in (1..2000000000) limit: 3 %}{{ i }}{% endfor %}", "", "123")
	f("{% for i in (1..2000000000) %}{% if i == 3 %}{% break %}{% endif %}{{ i }}{% endfor %}", "", "12")
	f("{% assign s = '' %}{% for i in (1..500) %}{% assign s = s | append: 'a line of text ' %}{% endfor %}{{ s.size }}", "", "7500")
	rows := make([]string, 1000)
	for i := range rows {
		rows[i] = fmt.Sprintf(`{"sku":"s%d","price":%d.99}`, i, i)
	}
	f("{% assign l = trigger.properties.l | sort: 'price' | reverse %}{{ l[0].sku }} {{ l | map: 'price' | sum }}",
		`{"trigger.properties.l":[`+strings.Join(rows, ",")+`]}`, "s999 500490")
}

// Templates nest and grow within bounds.
func TestTemplatesAreBounded(t *testing.T) {
	for _, source := range []string{
		strings.Repeat("{% if true %}", 100_000) + strings.Repeat("{% endif %}", 100_000),
		"{{ a" + strings.Repeat("[a", 100_000) + strings.Repeat("]", 100_000) + " }}",
		"{% if " + strings.Repeat("(", 100_000) + "a" + strings.Repeat(")", 100_000) + " %}{% endif %}",
		"{% if " + strings.Repeat("not ", 100_000) + "a %}{% endif %}",
		"{{ 1" + strings.Repeat("0", 100_000) + " }}",
		strings.Repeat("x", 2<<20),
	} {
		if _, err := message.NewRenderer().Variables([]program.Field{{Name: "body", Source: source}}); err == nil {
			t.Errorf("%.40s: no error", source)
		}
	}
}

// An author is told that a loop goes by a value, and that a text is always too long.
func TestWarnings(t *testing.T) {
	f := func(source string, want ...string) {
		t.Helper()
		got := message.NewRenderer().Warnings([]program.Field{{Name: "body", Source: source}})
		if len(got) != len(want) {
			t.Fatalf("%s: %q; want %q", source, got, want)
		}
		for i := range want {
			if !strings.Contains(got[i], want[i]) {
				t.Errorf("%s: %q; want %q", source, got[i], want[i])
			}
		}
	}
	const n = "trigger.properties.n"
	f("{% for i in (1.."+n+") %}*{% endfor %}", "(1..trigger.properties.n) comes from values")
	f("{% assign m = "+n+" | plus: 1 %}{% for i in (1..m) %}*{% endfor %}", "(1..m) comes from values")
	f("{% assign r = (1.."+n+") | reverse %}{{ r.size }}", "(1..trigger.properties.n) comes from values")
	f("{% tablerow i in ("+n+"..5) %}*{% endtablerow %}", "comes from values")
	f("{% for i in (1.." + n + ") limit: 10 %}*{% endfor %}")
	f("{% assign m = " + n + " | at_most: 10 %}{% for i in (1..m) %}*{% endfor %}")
	f("{% for i in (1..10) %}*{% endfor %}{% for l in trigger.properties.l %}{{ l }}{% endfor %}")
	f("{% for i in (1..trigger.properties.l.size) %}*{% endfor %}")
	f("{% for i in (1..2000000000) %}{% endfor %}", "template_limit")
}
