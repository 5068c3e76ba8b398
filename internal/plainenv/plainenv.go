// Package plainenv keeps the settings of somebody else's server away from a server, a
// tool or a test that must not see them.
package plainenv

import (
	"os"
	"strings"
)

func setting(variable string) bool {
	switch name, _, _ := strings.Cut(variable, "="); {
	case name == "NUDGE_ENGINE_CACHE": // where the engine lies changes nothing of what a program does
		return false
	case name == "NUDGE_CDNOW", strings.HasPrefix(name, "NUDGE_TEST_"), strings.HasPrefix(name, "NUDGE_FAULT"):
		return false // for the tests themselves
	default:
		return strings.HasPrefix(name, "NUDGE_") || strings.HasPrefix(name, "CLICKHOUSED_")
	}
}

// Environ is the environment of this process without settings of nudge, as NAME=VALUE.
func Environ() []string {
	var plain []string
	for _, v := range os.Environ() {
		if !setting(v) {
			plain = append(plain, v)
		}
	}
	return plain
}

// Clear removes settings of nudge from the environment of this process, for a TestMain.
func Clear() error {
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); setting(v) {
			if err := os.Unsetenv(name); err != nil {
				return err
			}
		}
	}
	return nil
}
