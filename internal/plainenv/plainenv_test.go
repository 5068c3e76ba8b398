package plainenv

import (
	"os"
	"slices"
	"testing"
)

func TestPlain(t *testing.T) {
	for _, name := range []string{"NUDGE_ADMIN_LISTEN", "CLICKHOUSED_PASSWORD", "NUDGE_ENGINE_CACHE", "PLAIN_NUDGE_"} {
		t.Setenv(name, "outside")
	}
	check := func(all []string) {
		t.Helper()
		if slices.Contains(all, "NUDGE_ADMIN_LISTEN=outside") || slices.Contains(all, "CLICKHOUSED_PASSWORD=outside") {
			t.Errorf("settings are left in %q", all)
		}
		if !slices.Contains(all, "NUDGE_ENGINE_CACHE=outside") || !slices.Contains(all, "PLAIN_NUDGE_=outside") {
			t.Errorf("more than settings is gone in %q", all)
		}
	}
	check(Environ())
	if err := Clear(); err != nil {
		t.Fatal(err)
	}
	check(os.Environ())
}
