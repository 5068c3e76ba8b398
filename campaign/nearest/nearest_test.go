package nearest_test

import (
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/campaign/nearest"
)

func TestName(t *testing.T) {
	f := func(word, names, want string) {
		t.Helper()
		if got := nearest.Name(word, strings.Fields(names)); got != want {
			t.Errorf("%q of %s: unexpected %q; want %q", word, names, got, want)
		}
	}
	f("step", "trigger steps stop", "steps")
	f("Campaign", "campaign channel", "campaign")
	f("tirgger", "trigger audience", "trigger")
	f("onActive", "mode on_active max_active", "on_active")
	f("monday", "sun mon tue", "mon")
	f("serch", "search reach", "search")
	f("chanel", "channel channels", "channel")
	f("xyz", "trigger audience", "")
	f("id", "do is", "") // one of two letters is too much
	f("ab", "xy", "")
	f("", "a b", "")
	f(strings.Repeat("a", 200), "a", "")
}
