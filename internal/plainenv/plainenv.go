// Package plainenv removes the settings of nudge from an environment. A demo or a test
// starts servers with settings of its own; those that the user has set for a real server
// must not reach them.
package plainenv

import (
	"os"
	"strings"
)

// setting reports whether a variable, as NAME=VALUE, is a setting of nudge or clickhoused.
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

// Environ returns the environment of this process without settings of nudge, as NAME=VALUE.
func Environ() []string {
	var plain []string
	for _, v := range os.Environ() {
		if !setting(v) {
			plain = append(plain, v)
		}
	}
	return plain
}

// Clear removes the settings of nudge from the environment of this process. It is for a
// TestMain, because other goroutines may read the environment.
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
