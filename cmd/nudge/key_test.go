package main

import (
	"os"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/internal/identity"
)

func TestKey(t *testing.T) {
	dir := t.TempDir()
	id := identity.Identity{Node: "n", WriteKey: "made-write-key-01", AdminKey: "made-admin-key-01"}
	if err := id.Save(dir); err != nil {
		t.Fatal(err)
	}
	f := func(name, want string) {
		t.Helper()
		code, out, errs := runTool(t, "key", name, "--data-dir", dir)
		if code != 0 || out != want+"\n" {
			t.Errorf("key %s: exit %d, %q, %q; want %q", name, code, out, errs, want)
		}
	}
	f("write", "made-write-key-01")
	f("admin", "made-admin-key-01")
	t.Setenv("NUDGE_ADMIN_KEY", "given-admin-key-01")
	f("admin", "given-admin-key-01")
	code, out, errs := runTool(t, "key", "reader", "--data-dir", dir)
	if code == 0 || out != "" || !strings.Contains(errs, "has no reader key") {
		t.Errorf("a key that is not there: exit %d, %q, %q", code, out, errs)
	}
	if stat, err := os.Stat(identity.Path(dir)); err != nil || stat.Mode().Perm() != 0o600 {
		t.Errorf("node.json has the mode %v, error %v", stat.Mode(), err)
	}
}
