package storage_test

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/nudge-engine/nudge/storage"
	"github.com/nudge-engine/nudge/storage/storagetest"
)

func TestMemoryConforms(t *testing.T) {
	storagetest.Run(t, func(*testing.T) storage.Store { return storage.NewMemory() },
		func(t *testing.T, s storage.Store) storage.Store {
			t.Helper()
			m, ok := s.(*storage.Memory)
			if !ok {
				t.Fatalf("unexpected store %T", s)
			}
			return m.Clone()
		})
}

// Pebble runs on a file system that loses what was not synced.
func TestPebbleConforms(t *testing.T) {
	disks := map[storage.Store]*vfs.MemFS{}
	open := func(t *testing.T, fs *vfs.MemFS) storage.Store {
		t.Helper()
		s, err := storage.OpenPebble(storage.PebbleConfig{Dir: "db", FS: fs})
		if err != nil {
			t.Fatal(err)
		}
		disks[s] = fs
		return s
	}
	storagetest.Run(t, func(t *testing.T) storage.Store {
		t.Helper()
		return open(t, vfs.NewCrashableMem())
	}, func(t *testing.T, s storage.Store) storage.Store {
		t.Helper()
		clone := disks[s].CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 50, RNG: rand.New(rand.NewPCG(1, 2))})
		return open(t, clone)
	})
}

func TestCheckpointsAreKeptAndReadable(t *testing.T) {
	dir := t.TempDir()
	s, err := storage.OpenPebble(storage.PebbleConfig{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"01", "02", "03"} {
		b := new(storage.Batch)
		b.Set([]byte("n/at"), []byte(name))
		if err := errors.Join(s.Commit(b), s.Checkpoint(name, 2)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	names, err := storage.Checkpoints(dir)
	if err != nil || len(names) != 2 || names[0] != "02" || names[1] != "03" {
		t.Fatalf("unexpected checkpoints %v, error %v; want 02 and 03", names, err)
	}
	old, err := storage.OpenPebble(storage.PebbleConfig{Dir: storage.CheckpointPath(dir, "02"), ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	v, err := old.Get([]byte("n/at"))
	if err = errors.Join(err, old.Close()); err != nil || string(v) != "02" {
		t.Errorf("unexpected value %q, error %v; want 02", v, err)
	}
}

func TestForeignFormatIsRefused(t *testing.T) {
	dir := t.TempDir()
	s, err := storage.OpenPebble(storage.PebbleConfig{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	b := new(storage.Batch)
	b.Set(storage.FormatKey(), []byte{99})
	if err := errors.Join(s.Commit(b), s.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := storage.OpenPebble(storage.PebbleConfig{Dir: dir}); !errors.Is(err, storage.ErrFormat) {
		t.Errorf("unexpected error %v; want ErrFormat", err)
	}
}

// The key layout is part of the stored format.
func TestKeysGolden(t *testing.T) {
	f := func(got []byte, want string) {
		t.Helper()
		if string(got) != want {
			t.Errorf("unexpected key %q; want %q", got, want)
		}
	}
	f(storage.FormatKey(), "f")
	f(storage.SinkKey("warehouse"), "wwarehouse")
	f(storage.MetaKey(258), "p\x01\x02m")
	f(storage.DefinitionsKey(0), "p\x00\x00k")
	f(storage.CustomerKey(1, "default", "u1"), "p\x00\x01cdefault\x00u1")
	f(storage.DedupeKey(1, 2), "p\x00\x01d\x00\x00\x00\x00\x00\x00\x00\x02")
	f(storage.TallyPrefix(2), "p\x00\x02x")
	f(storage.TallyKey(2, "default", "cart", "offer"), "p\x00\x02xdefault\x00cart\x00offer")
	if w, id, ok := storage.ParseCustomerKey(
		storage.CustomerKey(1, "default", "u\x001"),
	); !ok || w != "default" ||
		id != "u\x001" {
		t.Errorf("unexpected customer %q %q %v", w, id, ok)
	}
}
