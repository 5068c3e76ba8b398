package storage

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

// IDBytes is the length of the ids of deliveries.
const IDBytes = 16

// renderingSlots bounds how many messages are made at the same time.
const renderingSlots = 64

const renderingCrashes = "rendering.json"

// Rendering is a small file, mapped into memory, that says which deliveries' messages are
// being made. It outlives the process, so that a message that ends the process is found out at
// the next start, as CrashMarker finds records. It is safe for concurrent use.
type Rendering struct {
	mapped []byte
	free   chan int // slots that nobody has
	// alone is held for reading by who makes a message, and for writing where the delivery is
	// suspected: then no other one is blamed if it ends the process again.
	alone sync.RWMutex
	path  string // of the counts

	mu      sync.Mutex
	crashes map[[IDBytes]byte]int
}

// OpenRendering maps the file in dir and reads what was being made when the last process ended.
func OpenRendering(dir string) (r *Rendering, err error) {
	path := filepath.Join(dir, "rendering")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("storage: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	const size = renderingSlots * IDBytes
	if err := f.Truncate(size); err != nil {
		return nil, fmt.Errorf("storage: %s: %w", path, err)
	}
	mapped, err := syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("storage: map %s: %w", path, err)
	}
	r = &Rendering{mapped: mapped, free: make(chan int, renderingSlots), crashes: map[[IDBytes]byte]int{}}
	r.path = filepath.Join(dir, renderingCrashes)
	for slot := range renderingSlots {
		r.free <- slot
	}
	if err := r.count(); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

func (r *Rendering) slot(i int) []byte { return r.mapped[i*IDBytes : (i+1)*IDBytes] }

// count reads and clears the slots and counts the crashes of each delivery.
func (r *Rendering) count() error {
	text, err := os.ReadFile(r.path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("storage: %w", err)
	}
	before := map[string]int{}
	if json.Unmarshal(text, &before) != nil || len(before) > maxSuspected {
		before = nil // cut off by a power loss: the count begins anew
	}
	for name, n := range before { //nudge:unordered a map is made of a map
		var id [IDBytes]byte
		if read, err := hex.Decode(id[:], []byte(name)); err == nil && read == IDBytes {
			r.crashes[id] = n
		}
	}
	for i := range renderingSlots {
		if id := [IDBytes]byte(r.slot(i)); id != [IDBytes]byte{} {
			r.crashes[id]++
		}
	}
	// Written before the slots are cleared: a crash between counts twice, not never.
	if err := r.save(); err != nil {
		return err
	}
	clear(r.mapped)
	return nil
}

// maxSuspected bounds the deliveries whose crashes are remembered.
const maxSuspected = 4096

// save writes the counts down.
func (r *Rendering) save() error {
	named := map[string]int{}
	for id, n := range r.crashes { //nudge:unordered a map is made of a map
		named[hex.EncodeToString(id[:])] = n
	}
	text, err := json.Marshal(named)
	if err == nil {
		err = os.WriteFile(r.path, text, 0o600)
	}
	if err != nil {
		return fmt.Errorf("storage: %w", err)
	}
	return nil
}

// Crashes is how many processes ended while the message of a delivery was made.
func (r *Rendering) Crashes(id [IDBytes]byte) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.crashes[id]
}

// Make makes the message of a delivery, marked meanwhile. It waits where too many are made, and
// makes that of a suspected delivery alone; one that can be made is suspected no more.
func (r *Rendering) Make(id [IDBytes]byte, message func()) error {
	if r.Crashes(id) == 0 {
		r.alone.RLock()
		defer r.alone.RUnlock()
		r.marked(id, message)
		return nil
	}
	r.alone.Lock()
	defer r.alone.Unlock()
	r.marked(id, message)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.crashes, id)
	return r.save()
}

func (r *Rendering) marked(id [IDBytes]byte, message func()) {
	slot := <-r.free
	copy(r.slot(slot), id[:])
	defer func() {
		clear(r.slot(slot))
		r.free <- slot
	}()
	message()
}

// Close unmaps the file. Nothing may be made any more.
func (r *Rendering) Close() error {
	if err := syscall.Munmap(r.mapped); err != nil {
		return fmt.Errorf("storage: unmap: %w", err)
	}
	return nil
}
