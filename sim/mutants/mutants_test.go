package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPatchesApply: each bug can still be planted in the tree as it stands.
func TestPatchesApply(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	bugs, err := readBugs(root, bugFolder, "")
	if err != nil {
		t.Fatal(err)
	}
	tree := &tree{root: root}
	for _, b := range bugs {
		readTargets(t, root, b)
		if err := tree.apply(t.Context(), b, "--check"); err != nil {
			t.Error(err)
		}
	}
}

// readTargets reads the files into which a bug is planted. git reads them too, but go test keeps a
// result until a file that the test itself has read changes.
func readTargets(t *testing.T, root string, b bug) {
	t.Helper()
	patch, err := os.ReadFile(b.path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(patch)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "--- a/"); ok {
			if _, err := os.ReadFile(filepath.Join(root, name)); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestRead(t *testing.T) {
	for _, c := range []struct {
		name, out, words, first string
		found                   bool
	}{
		{"none", "    sim_test.go:1: 0 of 300 seeds failed\nPASS\n", "0", "-", false},
		{"some", "x: seed 4 failed: C1\nx: seed 9 failed: C2\nx: 2 of 300 seeds failed\nFAIL\n", "2", "4", true},
		{"hangs", "x: seed 4 failed: C1\npanic: test timed out after 1m0s\n", "hangs (1 before)", "4", true},
		{"crashes", "fatal error: stack overflow\n", "crashes (0 before)", "-", true},
	} {
		r := read(c.out)
		if r.words() != c.words || r.first != c.first || r.found() != c.found {
			t.Errorf("%s: got %q, first %q, found %v; want %q, %q, %v", c.name, r.words(), r.first, r.found(), c.words,
				c.first, c.found)
		}
	}
}

func TestRewrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "doc.md")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("before\n")
	if err := rewrite(path, "table\n"); err == nil || !strings.Contains(err.Error(), tableBegin) {
		t.Errorf("without markers: got %v; want an error that shows them", err)
	}
	write("before\n" + tableBegin + "old\n" + tableEnd + "after\n")
	for range 2 {
		if err := rewrite(path, "table\n"); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if want := "before\n" + tableBegin + "\ntable\n\n" + tableEnd + "after\n"; string(got) != want {
			t.Errorf("got %q; want %q", got, want)
		}
	}
}
