package extending

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// copyTree copies what git tracks or would track of the tree at root.
func copyTree(t *testing.T, root string) string {
	t.Helper()
	list, err := run(t.Context(), root, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		t.Fatalf("%v\n%s", err, list)
	}
	to := t.TempDir()
	for name := range strings.SplitSeq(strings.TrimSuffix(list, "\x00"), "\x00") {
		data, err := os.ReadFile(filepath.Join(root, name))
		if errors.Is(err, os.ErrNotExist) {
			continue // removed, and not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(to, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

func apply(t *testing.T, dir string, p place, more ...string) {
	t.Helper()
	args := append(append([]string{"apply"}, more...), p.path)
	if out, err := run(t.Context(), dir, "git", args...); err != nil {
		t.Fatalf("%s: %v\n%s", p.name(), err, out)
	}
}

// run runs a program in a folder and returns what it printed.
func run(ctx context.Context, dir, name string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "GOFLAGS=-trimpath") // the folder of the copy is no part of what is built
	out, err := c.CombinedOutput()
	return string(out), err
}
