package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A copy of a campaign is checked and tested like the campaign itself, whose file stays as
// it is. A family of campaigns is copied as a whole.
func TestNewFrom(t *testing.T) {
	for _, preset := range []string{"cart-abandoned", "reactivation", "bonus-expiry"} {
		dir := t.TempDir()
		if code, _, errs := runTool(t, "new", "spring", "--preset", preset, "--dir", dir); code != 0 {
			t.Fatal(errs)
		}
		before, err := os.ReadFile(filepath.Join(dir, "spring.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		code, out, errs := runTool(t, "new", "summer", "--from", "spring", "--dir", dir)
		if code != 0 || !strings.Contains(out, "summer.yaml: a copy of spring") {
			t.Fatalf("new: exit %d: %s%s", code, out, errs)
		}
		copied, err := os.ReadFile(filepath.Join(dir, "summer.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(copied), "name: spring") ||
			strings.Count(string(copied), "\nkind: ") != strings.Count(string(before), "\nkind: ") {
			t.Errorf("%s: the copy is\n%s\nof\n%s", preset, copied, before)
		}
		if after, err := os.ReadFile(filepath.Join(dir, "spring.yaml")); err != nil || string(after) != string(before) {
			t.Errorf("%s: the file that was copied has changed, error %v", preset, err)
		}
		code, out, errs = runTool(t, "test", dir)
		if code != 0 || strings.Count(out, "ok    spring-") == 0 ||
			strings.Count(out, "ok    spring-") != strings.Count(out, "ok    summer-") {
			t.Errorf("%s: test: exit %d: %s%s", preset, code, out, errs)
		}
	}
}
