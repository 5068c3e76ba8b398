package simulate_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/internal/definition"
	"github.com/nudge-engine/nudge/internal/simulate"
)

// perform plays the scenarios of a text; an error or what does not hold comes as text.
func perform(t *testing.T, text string) string {
	t.Helper()
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	files := []definition.File{{Name: "f.yaml", Text: []byte(text)}}
	docs, err := definition.Parse(lang, files, definition.Options{Loose: true})
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for i := range docs {
		if docs[i].Scenario == nil {
			continue
		}
		wrong, err := simulate.RunScenario(lang, docs, docs[i].Scenario)
		if err != nil {
			told = append(told, err.Error())
		}
		for _, m := range wrong {
			told = append(told, m.String())
		}
	}
	return strings.Join(told, "\n")
}

const scenarioHead = "---\napiVersion: nudge/v1\nkind: Scenario\nmetadata: {name: s}\nspec:\n  at: 2026-03-02T10:00:00Z\n"

// A scenario forces the variants it names, no matter who the customer is, and says which of
// them do not exist.
func TestScenarioForcesVariants(t *testing.T) {
	const ab = `apiVersion: nudge/v1
kind: Campaign
metadata: {name: ab}
spec:
  trigger: {event: {name: Go}}
  steps:
    - {id: offer, experiment: {variants: [{id: a, weight: 50, goto: first}, {id: b, weight: 50, goto: second}]}}
    - {id: first, send: {channel: x}, goto: end}
    - {id: second, send: {channel: y}}
`
	for variant, channel := range map[string]string{"a": "x", "b": "y"} {
		var steps strings.Builder
		for _, customer := range []string{"c1", "c2", "c3", "c4", "c5", "c6"} {
			fmt.Fprintf(&steps, "    - {customer: %s, track: Go, expect: [{channel: %s, variant: %s}]}\n",
				customer, channel, variant)
		}
		text := ab + scenarioHead + "  variants: {offer: " + variant + "}\n  steps:\n" + steps.String()
		if told := perform(t, text); told != "" {
			t.Errorf("variant %s: %s", variant, told)
		}
	}
	told := perform(t, ab+scenarioHead+"  variants: {offer: c}\n  steps: [{advance: 1h}]\n")
	if want := `no experiment "offer" has a variant "c"`; !strings.Contains(told, want) {
		t.Errorf("told %q; want %q", told, want)
	}
}

// An identify call of a scenario starts what watches such calls.
func TestScenarioIdentifies(t *testing.T) {
	const known = `apiVersion: nudge/v1
kind: Campaign
metadata: {name: known}
spec:
  trigger: {event: {name: $identify}}
  audience: customer.traits.level == "gold"
  steps: [{id: s, send: {channel: x}}]
`
	if told := perform(t, known+scenarioHead+`  steps:
    - {identify: {traits: {level: silver}}, expect: []}
    - {identify: {traits: {level: gold}}, expect: [{step: s}]}
`); told != "" {
		t.Error(told)
	}
}

// Nobody is held out in a scenario that does not ask for it.
func TestScenarioHoldout(t *testing.T) {
	const held = `apiVersion: nudge/v1
kind: Campaign
metadata: {name: held}
spec:
  trigger: {event: {name: Go}}
  policy: {holdout: {percent: 100}}
  steps: [{id: s, send: {channel: x}}]
`
	if told := perform(t, held+scenarioHead+"  steps: [{track: Go, expect: [{step: s}]}]\n"); told != "" {
		t.Errorf("without holdout: %s", told)
	}
	if told := perform(t, held+scenarioHead+"  holdout: true\n  steps: [{track: Go, expect: []}]\n"); told != "" {
		t.Errorf("with holdout: %s", told)
	}
}
