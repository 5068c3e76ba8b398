package definition_test

import (
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/internal/definition"
)

// A calendar is defined once, in some policy, and one that a schedule names is there.
func TestCalendarsAreDefinedOnce(t *testing.T) {
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	const policy = "apiVersion: nudge/v1\nkind: Policy\nmetadata: {name: NAME}\nspec: {calendars: [{name: ua, dates: [--12-25]}]}\n"
	const schedule = "apiVersion: nudge/v1\nkind: Campaign\nmetadata: {name: c}\nspec:\n" +
		"  trigger: {schedule: {calendar: ua}}\n  steps: [{id: x, exit: {}}]\n"
	one, two := strings.Replace(policy, "NAME", "one", 1), strings.Replace(policy, "NAME", "two", 1)
	for text, want := range map[string]string{
		one + "---\n" + schedule:                 "",
		schedule:                                 `trigger.schedule: calendar "ua" is not defined; add it to a document of kind Policy`,
		one + "---\n" + two:                      `f.yaml:9:27: Policy two: calendar "ua" is defined already by Policy one`,
		one + "---\n" + two + "---\n" + schedule: "defined already",
	} {
		_, err := definition.Parse(lang, []definition.File{{Name: "f.yaml", Text: []byte(text)}}, definition.Options{})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s\nerror %v; want %q", text, err, want)
		}
	}
}
