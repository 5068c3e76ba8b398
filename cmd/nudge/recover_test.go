package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/actors/shard"
)

// Streams of which an older copy is put in place: the partition halts; recover
// says what is wrong, mends it when told to, and new events are applied, not taken
// for old ones.
func TestRecover(t *testing.T) {
	for _, streams := range [][]string{{"EV_0"}, {"FX_0"}, {"EV_0", "FX_0"}} {
		t.Run(strings.Join(streams, "+"), func(t *testing.T) { recoverFromOldCopy(t, streams) })
	}
}

func recoverFromOldCopy(t *testing.T, streams []string) {
	t.Helper()
	dir, old := t.TempDir(), t.TempDir()
	d := openDataDir(t, dir)
	d.send(t, 0, 30)
	d.stop()
	d.close(t)
	at := func(root, name string) string { return filepath.Join(root, "jetstream", "$G", "streams", name) }
	if err := os.CopyFS(old, os.DirFS(filepath.Join(dir, "log"))); err != nil {
		t.Fatal(err)
	}
	d = openDataDir(t, dir)
	d.send(t, 30, 60)
	d.stop()
	d.close(t)
	for _, name := range streams {
		if err := os.RemoveAll(at(filepath.Join(dir, "log"), name)); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(at(filepath.Join(dir, "log"), name), os.DirFS(at(old, name))); err != nil {
			t.Fatal(err)
		}
	}
	d = openDataDirHalted(t, dir)
	if err := d.engine.Halted(0); !errors.Is(err, shard.ErrContinuity) {
		t.Fatalf("unexpected state %v; want ErrContinuity", err)
	}
	d.stop()
	d.close(t)

	run := func(want string, args ...string) {
		t.Helper()
		code, out, errs := runTool(t, append([]string{"recover", "--data", dir}, args...)...)
		if code != 0 || !strings.Contains(out, want) {
			t.Fatalf("exit %d: %s%s; want %q", code, out, errs, want)
		}
	}
	run("say --yes to do it")
	run("mended: the numbering", "--yes")
	run("partition 0: ok")

	d = openDataDir(t, dir)
	d.send(t, 60, 90)
	for c := range 7 {
		v, err := d.engine.View(t.Context(), "default", "c"+string(rune('0'+c)))
		if err != nil || v == nil {
			t.Fatalf("customer %d: %v", c, err)
		}
		want := 0
		for n := range 90 {
			if n%7 == c {
				want++
			}
		}
		// Each event left one pending delivery: none was passed over, none applied twice.
		if len(v.Pending) != want {
			t.Errorf("customer %d: unexpected %d deliveries; want %d", c, len(v.Pending), want)
		}
	}
	d.stop()
	d.close(t)
	if code, out, errs := runTool(t, "verify", "--data", dir); code != 0 {
		t.Errorf("verify after recover: exit %d: %s%s", code, out, errs)
	}
}

// openDataDirHalted opens a directory whose partition is expected to halt.
func openDataDirHalted(t *testing.T, dir string) *dataDir {
	t.Helper()
	d := startDataDir(t, dir)
	if err := d.engine.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	return d
}
