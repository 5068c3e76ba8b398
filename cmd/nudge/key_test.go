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
	told := func(want, directory, name string) {
		t.Helper()
		code, out, errs := runTool(t, "key", name, "--data-dir", directory)
		if code == 0 || out != "" || !strings.Contains(errs, want) {
			t.Errorf("key %s: exit %d, %q, %q; want %q", name, code, out, errs, want)
		}
	}
	told("name its data directory with --data-dir or NUDGE_DATA_DIR, or set NUDGE_WRITE_KEY", t.TempDir(), "write")
	// As the demo leaves it, whose write key is given.
	demo := t.TempDir()
	id = identity.Identity{Node: "n", AdminKey: "made-admin-key-01"}
	if err := id.Save(demo); err != nil {
		t.Fatal(err)
	}
	told("its server was started with a key of its own", demo, "write")
	told("that of the demo (make run) is nudge-demo-write-key", demo, "write")
	if stat, err := os.Stat(identity.Path(dir)); err != nil || stat.Mode().Perm() != 0o600 {
		t.Errorf("node.json has the mode %v, error %v", stat.Mode(), err)
	}
}
