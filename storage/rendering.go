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

// IDBytes is the length of the id of a delivery (output.ID).
const IDBytes = 16

// renderingSlots bounds how many messages are rendered at the same time, as the file has
// a slot for each.
const renderingSlots = 64

// renderingCrashes is the file with the counts.
const renderingCrashes = "rendering.json"

// Rendering is a small file, mapped into memory, that says which deliveries' messages are
// being rendered. It outlives the process, so that a message which ends the process (for
// example by a stack overflow, which no recover contains) is found at the next start, as
// CrashMarker finds records. It is safe for concurrent use.
type Rendering struct {
	mapped []byte   // renderingSlots ids, zero where a slot is free
	free   chan int // indexes of the free slots
	// alone is held for reading while a message is rendered, and for writing if its
	// delivery is suspected. A suspected one is so rendered alone, and no other is blamed
	// if it ends the process again.
	alone sync.RWMutex
	path  string // of the file with the counts

	mu      sync.Mutex
	crashes map[[IDBytes]byte]int // processes that ended while the message was rendered, by delivery
}

// OpenRendering maps the file in dir, made if it is missing, and counts a crash for each
// delivery that was being rendered when the last process ended.
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

// slot returns the bytes of slot i.
func (r *Rendering) slot(i int) []byte { return r.mapped[i*IDBytes : (i+1)*IDBytes] }

// count reads the counts so far, adds one for each delivery in a slot, saves them and
// clears the slots.
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

// maxSuspected bounds the deliveries whose crashes are remembered; a file with more is
// not trusted.
const maxSuspected = 4096

// save writes the counts. The caller holds mu, or has r alone.
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

// Crashes returns how many processes ended while the message of a delivery was rendered.
// Up to 64 deliveries are counted for one crash, because nobody knows which of them it
// was.
func (r *Rendering) Crashes(id [IDBytes]byte) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.crashes[id]
}

// Make calls message, which renders the message of a delivery, with the delivery marked
// meanwhile. It waits for a free slot. A suspected delivery is rendered alone and, once
// that went well, suspected no more. The error is that of saving the counts; message was
// called in any case.
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

// marked calls message with the delivery in a slot.
func (r *Rendering) marked(id [IDBytes]byte, message func()) {
	slot := <-r.free
	copy(r.slot(slot), id[:])
	defer func() {
		clear(r.slot(slot))
		r.free <- slot
	}()
	message()
}

// Close unmaps the file. Make must not be called any more.
func (r *Rendering) Close() error {
	if err := syscall.Munmap(r.mapped); err != nil {
		return fmt.Errorf("storage: unmap: %w", err)
	}
	return nil
}
