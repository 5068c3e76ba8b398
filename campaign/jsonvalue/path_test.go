package jsonvalue

import (
	"slices"
	"testing"
)

// Names with dots have paths, and every path gives its names back.
func TestPaths(t *testing.T) {
	for _, names := range [][]string{
		{"customer", "traits", "name"},
		{"trigger", "properties", "Total Price"},
		{"trigger", "properties", "a.b", `c\d`, `\.`},
		{"customer", "traits", ""},
	} {
		if got := SplitPath(JoinPath(names...)); !slices.Equal(got, names) {
			t.Errorf("%q: %q", names, got)
		}
	}
	if got := JoinPath("trigger", "properties", "a.b"); got != `trigger.properties.a\.b` {
		t.Errorf("unexpected path %q", got)
	}
}
