package definition_test

import (
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/internal/definition"
)

// All errors come at once: one document that cannot be read, or a name that is used twice,
// hides none of the others'.
func TestAllErrorsAtOnce(t *testing.T) {
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	document := func(name, more, body string) string {
		return "apiVersion: nudge/v1\nkind: Campaign\nmetadata: {name: " + name + "}\nspec:\n" + more +
			"  trigger: {event: {name: E}}\n  steps: [{id: s, send: {channel: console, inline: {body: '" + body + "'}}}]\n"
	}
	f := func(texts []string, want ...string) {
		t.Helper()
		var files []definition.File
		for _, text := range texts {
			files = append(files, definition.File{Name: "f.yaml", Text: []byte(text)})
		}
		_, err := definition.Parse(lang, files, definition.Options{})
		if err == nil {
			t.Fatal("no error")
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%q is missing in\n%v", w, err)
			}
		}
		if n := len(strings.Split(err.Error(), "\n")); n != len(want) {
			t.Errorf("%d errors; want %d:\n%v", n, len(want), err)
		}
	}
	liquid := document("b", "", "{{ nope }}")
	f([]string{document("a", "  colour: red\n", "x") + "---\n" + liquid}, `unknown field "colour"`, `"nope" is no variable`)
	f([]string{document("a", "  colour: red\n", "x"), liquid}, `unknown field "colour"`, `"nope" is no variable`)
	f([]string{document("a", "", "x"), document("a", "", "y"), document("c", "  policy: {caps: [none]}\n", "x"), liquid},
		`"a" is defined already`, `cap "none" is not defined`, `"nope" is no variable`)
	f([]string{document("a", "  colour: red\n", "{{ nope }}"), document("c", "  policy: {caps: [none]}\n", "x")},
		`unknown field "colour"`, `"nope" is no variable`, `cap "none" is not defined`)
	// While a policy cannot be read nobody knows which caps there are.
	const policy = "apiVersion: nudge/v1\nkind: Policy\nmetadata: {name: p}\nspec: {caps: [{nme: none, limit: 3, window: 1h}]}\n"
	f([]string{policy, document("c", "  policy: {caps: [none]}\n", "x")}, `unknown field "nme"`)
}
