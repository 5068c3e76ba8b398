package storage

import "errors"

// Format is the version of the key layout, kept under FormatKey.
const Format = 1

// ErrFormat means that a store was written by another version of this program.
var ErrFormat = errors.New("storage: unknown format")

// Store is the seam to the disk. Implementations are safe for concurrent use.
type Store interface {
	// Commit applies a batch atomically; when it returns nil the batch is durable.
	Commit(b *Batch) error
	// Get returns a value of its own memory, nil when the key is absent.
	Get(key []byte) ([]byte, error)
	// Scan calls f for each key with the prefix, in byte order, until f fails. The
	// slices are valid during the call only.
	Scan(prefix []byte, f func(key, value []byte) error) error
	// ScanAfter is Scan without the keys up to and including after.
	ScanAfter(prefix, after []byte, f func(key, value []byte) error) error
	// Checkpoint keeps the present state under a name and removes the oldest
	// checkpoints beyond keep.
	Checkpoint(name string, keep int) error
	// Close releases the store.
	Close() error
}

// Batch is a list of changes. The zero value is empty. It is not safe for
// concurrent use.
type Batch struct {
	changes []change
	bytes   int
}

type change struct {
	key, value []byte // a nil value deletes
}

// Set stores a value; key and value are kept, not copied.
func (b *Batch) Set(key, value []byte) {
	if value == nil {
		value = []byte{}
	}
	b.changes = append(b.changes, change{key, value})
	b.bytes += len(key) + len(value)
}

// Delete removes a key; the key is kept, not copied.
func (b *Batch) Delete(key []byte) {
	b.changes = append(b.changes, change{key: key})
	b.bytes += len(key)
}

// Len is how many changes the batch has, Bytes how large they are.
func (b *Batch) Len() int { return len(b.changes) }

// Bytes is the size of the keys and values in the batch.
func (b *Batch) Bytes() int { return b.bytes }
