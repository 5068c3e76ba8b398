package storage

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"unsafe"
)

const (
	crashMarkerSlot = 64             // bytes a partition: a cache line, so that none slows another
	indexBits       = 20             // low bits of a slot for the index; a frame has fewer than 2^20 records
	indexOffset     = 2              // added to the index, so that -1, the timers, is not negative
	crashesFile     = "crashes.json" // counts of the last start
)

// CrashMarker is a small file, mapped into memory, that says which record each partition
// is applying. The mapping outlives the process, so the next start finds a record that
// ended it; after three starts that ended in the same way the record is passed over. A
// power loss may lose it, which costs one more try.
//
// Mark is safe for concurrent use.
type CrashMarker struct {
	mapped []byte // a slot of 8 of 64 bytes for each partition: sequence and index, 0 for none
}

// Crash is a record that was being applied when the process ended.
type Crash struct {
	Partition int    `json:"partition"`
	Seq       uint64 `json:"seq"`    // sequence of its frame
	Index     int    `json:"index"`  // as Mark got it: of the record, or of the timers
	Starts    int    `json:"starts"` // starts in a row that ended while it was applied, from 1
}

// OpenCrashMarker maps the file in dir, made if it is missing, and returns the records
// that were being applied when the last process ended. A process that stops in order
// leaves none.
func OpenCrashMarker(dir string, partitions int) (h *CrashMarker, crashes []Crash, err error) {
	path := filepath.Join(dir, "inhand")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("storage: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := f.Truncate(int64(partitions * crashMarkerSlot)); err != nil {
		return nil, nil, fmt.Errorf("storage: %s: %w", path, err)
	}
	mapped, err := syscall.Mmap(int(f.Fd()), 0, partitions*crashMarkerSlot, syscall.PROT_READ|syscall.PROT_WRITE,
		syscall.MAP_SHARED)
	if err != nil {
		return nil, nil, fmt.Errorf("storage: map %s: %w", path, err)
	}
	h = &CrashMarker{mapped}
	crashes, err = h.crashes(filepath.Join(dir, crashesFile), partitions)
	if err != nil {
		return nil, nil, errors.Join(err, h.Close())
	}
	return h, crashes, nil
}

// slot returns the word of a partition.
func (h *CrashMarker) slot(partition int) *uint64 {
	return (*uint64)(unsafe.Pointer(&h.mapped[partition*crashMarkerSlot]))
}

// Mark notes that a partition is applying a record; sequence 0 means that it applies
// none. It costs one store to memory.
func (h *CrashMarker) Mark(partition int, seq uint64, index int) {
	value := seq << indexBits
	if seq != 0 {
		value |= uint64(index + indexOffset)
	}
	atomic.StoreUint64(h.slot(partition), value)
}

// crashes reads and clears the slots, and counts for each record in them how many starts
// in a row it ended.
func (h *CrashMarker) crashes(path string, partitions int) ([]Crash, error) {
	var before []Crash
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("storage: %w", err)
	}
	if json.Unmarshal(text, &before) != nil {
		before = nil // cut off by a power loss: the count begins anew
	}
	found := []Crash{}
	for p := range partitions {
		value := atomic.LoadUint64(h.slot(p))
		if value == 0 {
			continue
		}
		c := Crash{Partition: p, Seq: value >> indexBits, Index: int(value&(1<<indexBits-1)) - indexOffset, Starts: 1}
		for _, b := range before {
			if b.Partition == c.Partition && b.Seq == c.Seq && b.Index == c.Index {
				c.Starts = b.Starts + 1
			}
		}
		found = append(found, c)
	}
	if text, err = json.Marshal(found); err != nil {
		return nil, fmt.Errorf("storage: %s: %w", path, err)
	}
	// Written before the slots are cleared: a crash between counts a start twice, not
	// never.
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return nil, fmt.Errorf("storage: %w", err)
	}
	for p := range partitions {
		h.Mark(p, 0, 0)
	}
	return found, nil
}

// Close unmaps the file. Mark must not be called any more.
func (h *CrashMarker) Close() error {
	if err := syscall.Munmap(h.mapped); err != nil {
		return fmt.Errorf("storage: unmap: %w", err)
	}
	return nil
}
