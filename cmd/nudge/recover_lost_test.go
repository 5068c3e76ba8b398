package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/actors/shard"
)

// A bit of a frame is flipped on disk before a snapshot has it: the partition halts;
// recover passes over this one frame, what its effects did stays, and all others count.
func TestRecoverDamagedFrame(t *testing.T) {
	dir, killed := t.TempDir(), t.TempDir()
	d := openDataDir(t, dir)
	d.send(t, 0, 30)
	// The engine's last snapshot is not taken: what a kill leaves is copied away.
	if err := os.CopyFS(killed, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	d.stop()
	d.close(t)
	flipEvent(t, killed, "c3", "17")
	asked := t.TempDir()
	if err := os.CopyFS(asked, os.DirFS(killed)); err != nil {
		t.Fatal(err)
	}
	if _, _, errs := runTool(t, "recover", "--data", asked); !strings.Contains(errs, "the disk damaged the log") {
		t.Errorf("recover meets the damage first and says %q", errs)
	}

	d = openDataDirHalted(t, killed)
	for d.engine.Halted(0) == nil && t.Context().Err() == nil {
		<-d.engine.Changed(0)
	}
	if err := d.engine.Halted(0); !errors.Is(err, shard.ErrLost) {
		t.Fatalf("the partition says %v; want ErrLost", err)
	}
	d.stop()
	d.close(t)
	for _, step := range []struct{ args, want string }{
		{"", "say --yes to do it"}, {"--yes", "is passed over"}, {"", "partition 0: ok"},
	} {
		args := append([]string{"recover", "--data", killed}, strings.Fields(step.args)...)
		if code, out, errs := runTool(t, args...); code != 0 || !strings.Contains(out, step.want) {
			t.Fatalf("recover %s: exit %d: %s%s; want %q", step.args, code, out, errs, step.want)
		}
	}
	d = openDataDir(t, killed)
	d.send(t, 30, 60)
	for c, want := range map[string]int{"c2": 9, "c3": 8} {
		v, err := d.engine.View(t.Context(), "default", c)
		if err != nil || v == nil || len(v.Pending) != want {
			t.Errorf("customer %s: %+v, error %v; want %d deliveries", c, v, err, want)
		}
	}
	d.stop()
	d.close(t)
	if code, out, errs := runTool(t, "verify", "--data", killed); code != 0 {
		t.Errorf("verify after recover: exit %d: %s%s", code, out, errs)
	}
}

// flipEvent flips a bit in the stored event of a customer with a message id.
func flipEvent(t *testing.T, dir, customer, id string) {
	t.Helper()
	file := filepath.Join(dir, "log", "jetstream", "$G", "streams", "EV_0", "msgs", "1.blk")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(text, append([]byte{byte(len(customer))}, customer+string(rune(len(id)))+id...))
	if at < 0 {
		t.Fatalf("event %s of %s is not in the block", id, customer)
	}
	text[at+2] ^= 2
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// The log is rolled back behind what effects were made of, and no snapshot was taken:
// recover goes on behind both, and new events are applied.
func TestRecoverRolledBackWithoutSnapshot(t *testing.T) {
	dir, killed, old := t.TempDir(), t.TempDir(), t.TempDir()
	copied := func(from, to string) {
		t.Helper()
		if err := os.CopyFS(to, os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
	}
	d := openDataDir(t, dir)
	d.send(t, 0, 10)
	events := filepath.Join("log", "jetstream", "$G", "streams", "EV_0")
	copied(filepath.Join(dir, events), old)
	d.send(t, 10, 30)
	copied(dir, killed)
	d.stop()
	d.close(t)
	if err := os.RemoveAll(filepath.Join(killed, events)); err != nil {
		t.Fatal(err)
	}
	copied(old, filepath.Join(killed, events))

	d = openDataDirHalted(t, killed)
	if err := d.engine.Halted(0); !errors.Is(err, shard.ErrContinuity) {
		t.Fatalf("the partition says %v; want ErrContinuity", err)
	}
	d.stop()
	d.close(t)
	for _, step := range []struct{ args, want string }{
		{"", "say --yes to do it"}, {"--yes", "mended: the numbering"}, {"", "partition 0: ok"},
	} {
		args := append([]string{"recover", "--data", killed}, strings.Fields(step.args)...)
		if code, out, errs := runTool(t, args...); code != 0 || !strings.Contains(out, step.want) {
			t.Fatalf("recover %s: exit %d: %s%s; want %q", step.args, code, out, errs, step.want)
		}
	}
	d = openDataDir(t, killed)
	d.send(t, 30, 60)
	v, err := d.engine.View(t.Context(), "default", "c3")
	if err != nil || v == nil || len(v.Pending) == 0 {
		t.Errorf("customer c3 after recover: %+v, error %v; want deliveries", v, err)
	}
	d.stop()
	d.close(t)
}
