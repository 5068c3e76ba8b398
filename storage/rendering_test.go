package storage_test

import (
	"testing"

	"github.com/nudge-engine/nudge/storage"
)

// A message that ends the process is found out at the next start and counted; those that were
// made beside it are not blamed for long.
func TestRendering(t *testing.T) {
	dir := t.TempDir()
	guilty, innocent, done := [storage.IDBytes]byte{1}, [storage.IDBytes]byte{2}, [storage.IDBytes]byte{3}
	start := func(want ...int) *storage.Rendering {
		t.Helper()
		r, err := storage.OpenRendering(dir)
		if err != nil {
			t.Fatal(err)
		}
		for i, id := range [][storage.IDBytes]byte{guilty, innocent, done} {
			if got := r.Crashes(id); got != want[i] {
				t.Errorf("delivery %d: %d crashes; want %d", i, got, want[i])
			}
		}
		return r
	}
	// crash ends the process while messages are made: its file stays as it is.
	crash := func(r *storage.Rendering, during ...[storage.IDBytes]byte) {
		t.Helper()
		entered, left := make(chan struct{}), make(chan struct{}) // nobody goes on: the process is gone
		for _, id := range during {
			go func() {
				_ = r.Make(id, func() { // ends never
					entered <- struct{}{}
					<-left
				})
			}()
			<-entered
		}
	}
	r := start(0, 0, 0)
	makes := func(r *storage.Rendering, id [storage.IDBytes]byte) {
		t.Helper()
		made := false
		if err := r.Make(id, func() { made = true }); err != nil || !made {
			t.Errorf("made %v, error %v", made, err)
		}
	}
	makes(r, done)
	crash(r, guilty, innocent)
	r = start(1, 1, 0)
	makes(r, innocent) // alone, and nothing happens
	crash(r, guilty)
	r = start(2, 0, 0)
	crash(r, guilty)
	r = start(3, 0, 0)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := start(3, 0, 0).Close(); err != nil {
		t.Fatal(err)
	}
}
