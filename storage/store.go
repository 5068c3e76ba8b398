package storage

import "errors"

// Format is the version of the key layout, kept under FormatKey.
const Format = 1

// ErrFormat reports that a store was written by another version of this program.
var ErrFormat = errors.New("storage: unknown format")

// Store is a sorted map on disk. Implementations are safe for concurrent use.
type Store interface {
	// Commit applies a batch atomically. When it returns nil the batch is durable; after
	// an error it may be there or not.
	Commit(b *Batch) error
	// Get returns the value of a key, in memory of its own, nil if the key is absent.
	Get(key []byte) ([]byte, error)
	// Scan calls f for each key with the prefix, in byte order, until f returns an error,
	// which it returns. The slices are valid during the call only, and f must not change
	// the store.
	Scan(prefix []byte, f func(key, value []byte) error) error
	// ScanAfter does what Scan does without the keys up to and including after; nil
	// leaves out none.
	ScanAfter(prefix, after []byte, f func(key, value []byte) error) error
	// Checkpoint keeps the present state under a name, beside the store, and removes the
	// oldest checkpoints beyond keep. Names must sort by age.
	Checkpoint(name string, keep int) error
	// Close releases the store.
	Close() error
}

// Batch is a list of changes, applied in order: of two changes of a key the later one
// holds. The zero value is empty. It is not safe for concurrent use.
type Batch struct {
	changes []change
	bytes   int // sum of the lengths of keys and values
}

// change is one change of a batch.
type change struct {
	key, value []byte // a nil value deletes
}

// Set stores a value under a key. Both are kept, not copied. A nil value is stored as an
// empty one.
func (b *Batch) Set(key, value []byte) {
	if value == nil {
		value = []byte{}
	}
	b.changes = append(b.changes, change{key, value})
	b.bytes += len(key) + len(value)
}

// Delete removes a key, if it is there. The key is kept, not copied.
func (b *Batch) Delete(key []byte) {
	b.changes = append(b.changes, change{key: key})
	b.bytes += len(key)
}

// Len returns how many changes the batch has.
func (b *Batch) Len() int { return len(b.changes) }

// Bytes returns the size of the keys and values in the batch.
func (b *Batch) Bytes() int { return b.bytes }
