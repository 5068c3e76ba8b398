package parse

import (
	"errors"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/campaign/expr"
)

// A value whose change nobody can foresee is refused, and what may be written is said.
func TestValueClockErrors(t *testing.T) {
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	for when, want := range map[string]string{
		`now.getHours() > 9`:                                                      "now can only be compared",
		`string(now) > "2026"`:                                                    "now can only be compared",
		`now == customer.last("E")`:                                               "now can only be compared",
		`now in [customer.last("E")]`:                                             "now can only be compared",
		`(now - customer.last("E")).getHours() > 3`:                               "now can only be compared",
		`int(now) - int(customer.last("E")) > 3`:                                  "now can only be compared",
		`now > customer.traits.ends_at`:                                           "write timestamp(customer.traits.ends_at)",
		`customer.traits.ends_at < now - duration("1h")`:                          "write timestamp(customer.traits.ends_at)",
		`customer.tags.exists(t, now > timestamp(t))`:                             "now cannot stand in a loop",
		`(customer.tagged("x") ? now : customer.created_at) > customer.last("E")`: "now can only be compared",
		`now - customer.last("E") > duration("3d")`:                               `write duration("72h")`,
		`event.properties.x > 1.0 && now > customer.created_at`:                   "must look at customer",
	} {
		text := "apiVersion: nudge/v1\nkind: Campaign\nmetadata: {name: c}\nspec:\n  trigger:\n    segment:\n      when: '" +
			when + "'\n  steps: [{id: x, exit: {}}]\n"
		_, err := File(lang, "f.yaml", []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "f.yaml:7:") {
			t.Errorf("%s: error %v; want %q", when, err, want)
		}
	}
	for _, value := range []string{
		`now - customer.last("E") > duration("72h") ? 1 : 0`, `customer.sum("E", "total", "30d") * 2.0 + 1.0`,
	} {
		text := "apiVersion: nudge/v1\nkind: Campaign\nmetadata: {name: c}\nspec:\n  trigger: {threshold: {crosses: up, at: 1, value: '" +
			value + "'}}\n  steps: [{id: x, exit: {}}]\n"
		if _, err := File(lang, "f.yaml", []byte(text)); err != nil {
			t.Errorf("%s: %v", value, err)
		}
	}
}

// A mistake inside of an expression is told at its place in the file.
func TestPatternErrorHasItsPlace(t *testing.T) {
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	const text = "apiVersion: nudge/v1\nkind: Campaign\nmetadata: {name: c}\nspec:\n  trigger:\n    event:\n" +
		"      name: E\n      where: event.properties.s.matches(event.properties.re)\n  steps: [{id: x, exit: {}}]\n"
	var all Errors
	if _, err := File(lang, "f.yaml", []byte(text)); !errors.As(err, &all) || all[0].Line != 8 || all[0].Column != 57 {
		t.Errorf("the error is %v; want it at line 8, column 57", err)
	}
}
