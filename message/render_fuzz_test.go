package message_test

import (
	"strings"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/message"
)

// No text and no value takes the process down or holds it up.
func FuzzRender(f *testing.F) {
	for _, seed := range []string{
		"{{ trigger.properties.n | times: 2 | money: 'EUR' }}", "{% for i in (1..trigger.properties.n) %}{{ i }}{% endfor %}",
		"{% if a == 'x' and b or c %}{% elsif d %}{% else %}{% endif %}", "{% comment %}{% raw %}{% endraw %}{% endcomment %}",
		"{% liquid\nassign a = 1\necho a\n%}{% cycle 'a', 'b' %}", "{{ 'now' | date: '%99d %N %:z' }}", "{%- # x -%}{{- 1 -}}",
		"{% tablerow i in trigger.properties.n cols: 2 %}{{ tablerowloop.col }}{% endtablerow %}",
	} {
		f.Add(seed, `7`)
	}
	r := message.NewRenderer()
	f.Fuzz(func(t *testing.T, source, value string) {
		began := time.Now()
		fields := []program.Field{{Name: "body", Source: source}}
		_, checked := r.Variables(fields)
		_, err := r.Render(fields, []byte(`{"trigger.properties.n":`+value+`}`), noon)
		for _, err := range []error{checked, err} {
			if err != nil && strings.Contains(err.Error(), "BUG") && !strings.Contains(source+value, "BUG") {
				t.Errorf("%q with %s: %v", source, value, err)
			}
		}
		if took := time.Since(began); took > time.Minute {
			t.Errorf("%q with %s took %s", source, value, took)
		}
	})
}
