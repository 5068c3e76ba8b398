package definition_test

import (
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/internal/definition"
	"github.com/nudge-engine/nudge/sink/dispatch/egress"
)

// A channel that nothing can be sent over is refused where it is checked, with its place and
// what to write.
func TestChannelsAreChecked(t *testing.T) {
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	f := func(allow *egress.Policy, url, want string) {
		t.Helper()
		text := "apiVersion: nudge/v1\nkind: Channel\nmetadata: {name: hook}\nspec: {type: webhook, url: '" + url + "'}\n"
		_, err := definition.Parse(lang, []definition.File{{Name: "f.yaml", Text: []byte(text)}},
			definition.Options{Egress: allow})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", url, err, want)
		}
		if err != nil && !strings.Contains(err.Error(), "f.yaml:4:29: channel hook: url: ") {
			t.Errorf("%s: %v; want the place", url, err)
		}
	}
	f(nil, "file:///etc/passwd", "write https://host/path")
	f(nil, "gopher://h/", "write https://host/path")
	f(nil, "nonsense", "write https://host/path")
	f(nil, "https://169.254.169.254/latest", "link-local")
	f(nil, "http://hooks.example/x", "not allowed without https")
	f(nil, "http://127.0.0.1:9000/x", "") // the server decides
	f(nil, "https://hooks.example/x", "")
	f(new(egress.Policy), "http://127.0.0.1:9000/x", "egress_refused")
	allowed, err := egress.Parse("127.0.0.1, hooks.example")
	if err != nil {
		t.Fatal(err)
	}
	f(allowed, "http://127.0.0.1:9000/x", "")
	f(allowed, "http://hooks.example/x", "")
}
