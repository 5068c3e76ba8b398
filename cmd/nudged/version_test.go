package main_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

func TestVersion(t *testing.T) {
	want := regexp.MustCompile(`^([a-z-]+) \S+ \(commit \S+( with changes)?, .+, go\S+ [a-z]+/[a-z0-9]+\)\n$`)
	for _, program := range []string{"nudged", "nudge", "clickhoused", "nudge-bench"} {
		out, err := exec.Command(filepath.Join(binaries, program), "--version").CombinedOutput()
		m := want.FindStringSubmatch(string(out))
		if err != nil || m == nil || m[1] != program {
			t.Errorf("%s --version: %v, %q", program, err, out)
		}
	}
}
