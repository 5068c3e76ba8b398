package parse

import (
	"testing"

	"github.com/nudge-engine/nudge/campaign/expr"
)

// A scenario needs no name and no version of the language: it is stored nowhere. What is
// stored needs both.
func TestScenarioWithoutName(t *testing.T) {
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	const spec = "spec: {campaigns: [cart], at: 2026-03-01T00:00:00Z, steps: [{track: E}]}\n"
	docs, err := File(lang, "tests/cart.yaml", []byte("kind: Scenario\n"+spec+"---\nkind: Scenario\n"+spec))
	if err != nil || len(docs) != 2 || docs[0].Scenario.Name != "cart-1" || docs[1].Scenario.Name != "cart-4" {
		t.Errorf("unexpected %+v, error %v", docs, err)
	}
	if _, err := File(lang, "cart.yaml", []byte("kind: Policy\nspec: {}\n")); err == nil {
		t.Error("a policy without a name and a version was taken")
	}
}
