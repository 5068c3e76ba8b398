package storage_test

import (
	"reflect"
	"testing"

	"github.com/nudge-engine/nudge/storage"
)

// What is being applied when a process ends is known to the next, and counted while the
// same record is applied again and again.
func TestCrashMarker(t *testing.T) {
	dir := t.TempDir()
	start := func(want []storage.Crash, marks ...storage.Crash) {
		t.Helper()
		h, got, err := storage.OpenCrashMarker(dir, 4)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
			t.Fatalf("crashes %+v; want %+v", got, want)
		}
		for _, m := range marks {
			h.Mark(m.Partition, m.Seq, m.Index)
		}
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
	}
	poison := storage.Crash{Partition: 2, Seq: 1<<40 + 7, Index: 1<<20 - 3}
	timers := storage.Crash{Partition: 0, Seq: 9, Index: -1}
	counted := func(c storage.Crash, starts int) storage.Crash {
		c.Starts = starts
		return c
	}
	start(nil, poison, timers)
	start([]storage.Crash{counted(timers, 1), counted(poison, 1)}, poison)
	start([]storage.Crash{counted(poison, 2)}, poison, timers)
	start([]storage.Crash{counted(timers, 1), counted(poison, 3)})
	start(nil, poison)
	// A start between them that ended well: it is counted anew.
	start([]storage.Crash{counted(poison, 1)}, poison, storage.Crash{Partition: 2})
	start(nil)
}
