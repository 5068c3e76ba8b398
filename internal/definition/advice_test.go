package definition_test

import (
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/internal/definition"
)

func TestAdvise(t *testing.T) {
	// shows: 105, 147
	const head = "apiVersion: nudge/v1\nkind: Campaign\nmetadata: {name: NAME}\nspec:\n"
	for name, c := range map[string]struct{ one, two, want string }{
		"late send": {
			one: "  trigger: {event: {name: E}}\n  goals: [{id: g, event: G, window: 1d}]\n" +
				"  steps: [{id: a, send: {channel: x}}, {id: w, delay: 2d}, {id: b, send: {channel: x}}]\n",
			want: "step b sends after 2d at the earliest, when the window of goal g (1d) is over",
		},
		"a wait that an event may close": {
			one: "  trigger: {event: {name: E}}\n  goals: [{id: g, event: G, window: 1d}]\n" +
				"  steps: [{id: w, wait: {timeout: 2d, for: [{event: F}]}}, {id: b, send: {channel: x}}]\n",
		},
		"stop that cannot happen": {
			one:  "  trigger: {event: {name: E}}\n  stop: [{event: F}]\n  steps: [{id: a, send: {channel: x}}]\n",
			want: "stop can never happen",
		},
		"asked twice": {
			one: "  trigger: {event: {name: E, where: 'event.properties.v > 3 && customer.traits.level == \"gold && silver\"'}}\n" +
				"  audience: 'customer.traits.level  == \"gold && silver\" && customer.traits.age > 3'\n" +
				"  steps: [{id: a, send: {channel: x}}]\n",
			want: `trigger and audience both ask "customer.traits.level == \"gold && silver\""`,
		},
		"alternatives are not conjuncts": {
			one: "  trigger: {event: {name: E, where: 'event.properties.v > 3'}}\n" +
				"  audience: 'event.properties.v > 3 || customer.traits.age > 3'\n  steps: [{id: a, send: {channel: x}}]\n",
		},
		"twins": {
			one:  "  trigger: {event: {name: E}}\n  steps: [{id: a, send: {channels: [y, x]}}]\n",
			two:  "  trigger: {event: {name: E}}\n  steps: [{id: d, delay: 1h}, {id: a, send: {channel: x}}]\n",
			want: "campaign two has the same trigger and audience and sends over x too",
		},
		"a category that is misspelt": {
			one:  "  trigger: {event: {name: E}}\n  policy: {category: markting}\n  steps: [{id: a, send: {channel: x}}]\n",
			want: `category "markting" is that of no other campaign and of no cap; did you mean "marketing"?`,
		},
		"a category of a step that is misspelt": {
			one:  "  trigger: {event: {name: E}}\n  steps: [{id: a, send: {channel: x, category: transactionel}}]\n",
			want: `category "transactionel" is that of no other campaign and of no cap; did you mean "transactional"?`,
		},
		"categories of their own": {
			one: "  trigger: {event: {name: E}}\n  policy: {category: remarketing}\n  steps: [{id: a, send: {channel: x, category: news}}]\n",
			two: "  trigger: {event: {name: F}}\n  policy: {category: sales}\n  steps: [{id: a, send: {channel: x, category: new}}]\n",
		},
		"other triggers": {
			one: "  trigger: {count: {event: E, reaches: 2}}\n  steps: [{id: a, send: {channel: x}}]\n",
			two: "  trigger: {count: {event: E, reaches: 3}}\n  steps: [{id: a, send: {channel: x}}]\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(head, "NAME", "one", 1) + c.one
			if c.two != "" {
				text += "---\n" + strings.Replace(head, "NAME", "two", 1) + c.two
			}
			lang, err := expr.NewLanguage()
			if err != nil {
				t.Fatal(err)
			}
			files := []definition.File{{Name: "f.yaml", Text: []byte(text)}}
			docs, err := definition.Parse(lang, files, definition.Options{Loose: true})
			if err != nil {
				t.Fatal(err)
			}
			advice := definition.Advise(docs)
			if c.want == "" {
				if len(advice) > 0 {
					t.Errorf("unexpected advice %v", advice)
				}
				return
			}
			if len(advice) != 1 || advice[0].Campaign != "one" || !strings.HasPrefix(advice[0].Message, c.want) {
				t.Errorf("advice %v; want %q", advice, c.want)
			}
		})
	}
}
