package definition_test

import (
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/internal/definition"
)

const (
	house = "apiVersion: nudge/v1\nkind: Policy\nmetadata: {name: house}\nspec: {zone: UTC, caps: [{name: weekly, " +
		"limit: 1, window: 7d}], quiet_hours: {from: \"21:00\", to: \"09:00\"}}\n"
	asks = "apiVersion: nudge/v1\nkind: Campaign\nmetadata: {name: a}\nspec:\n  trigger: {event: {name: E}}\n" +
		"  policy: {caps: [weekly]}\n  steps: [{id: s, send: {channel: console}}]\n"
)

// A campaign may name only caps that exist: in the files, or in force; a policy may not
// take away one that is named, nor say again what another says.
func TestCapsAreDefined(t *testing.T) {
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	parse := func(known definition.Known, texts ...string) error {
		_, err := definition.Parse(lang, []definition.File{{Name: "f", Text: []byte(strings.Join(texts, "---\n"))}},
			definition.Options{Known: known})
		return err
	}
	f := func(want string, known definition.Known, texts ...string) {
		t.Helper()
		if err := parse(known, texts...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("unexpected error %v; want %q", err, want)
		}
	}
	docs, err := definition.Parse(lang, []definition.File{{Name: "f", Text: []byte(house + "---\n" + asks)}},
		definition.Options{})
	if err != nil {
		t.Fatal(err)
	}
	known := definition.Known{Policies: []*program.Policy{docs[0].Policy}, Campaigns: []*program.Program{docs[1].Campaign}}
	if err := parse(known, asks); err != nil {
		t.Error(err)
	}
	f(`cap "weekly" is not defined`, definition.Known{}, asks)
	f(`in force already: Campaign a: policy.caps: cap "weekly"`, known,
		strings.Replace(house, "weekly", "daily", 1))
	second := strings.Replace(house, "name: house", "name: other", 1)
	f(`cap "weekly" is defined already by Policy house`, known, second)
	f("zone is given already by Policy house", known, second)
	f("quiet_hours are given already by Policy house", known, second)
	keeps := func(name, how string) string {
		return "apiVersion: nudge/v1\nkind: Policy\nmetadata: {name: " + name + "}\nspec: {anonymous_expiry: " + how + "}\n"
	}
	f("Policy b: anonymous_expiry is given already by Policy a", definition.Known{}, keeps("b", "never"), keeps("a", "30d"))
}
