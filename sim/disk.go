package sim

import (
	"errors"

	"github.com/nudge-engine/nudge/storage"
)

// storeDown is the longest that a store fails, ms.
const storeDown = 20_000

var errStore = errors.New("sim: the store fails")

// disk is an owner's store. When it fails it does so for everything, once or for a
// while.
type disk struct {
	*storage.Memory
	w     *World
	until int64
}

func (w *World) newDisk() *disk { return &disk{Memory: storage.NewMemory(), w: w} }

func (d *disk) clone() *disk { return &disk{Memory: d.Clone(), w: d.w} }

// fails draws whether an access fails.
func (d *disk) fails() bool {
	if d.w.healed || d.w.owners >= mostOwners {
		return false
	}
	if d.w.now < d.until {
		return true
	}
	if !d.w.hit(d.w.opt.StoreFails) {
		return false
	}
	if d.w.rng.IntN(2) == 0 {
		d.until = d.w.now + d.w.rng.Int64N(storeDown)
	}
	return true
}

// Get implements storage.Store.
func (d *disk) Get(key []byte) ([]byte, error) {
	if d.fails() {
		return nil, errStore
	}
	return d.Memory.Get(key)
}

// Commit implements storage.Store. A batch may be durable although it failed.
func (d *disk) Commit(b *storage.Batch) error {
	if !d.fails() {
		return d.Memory.Commit(b)
	}
	if d.w.rng.IntN(2) == 0 {
		d.w.fail(d.Memory.Commit(b))
	}
	return errStore
}
