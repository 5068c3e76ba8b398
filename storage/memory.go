package storage

import (
	"bytes"
	"maps"
	"sort"
	"sync"
)

// Memory is a store in memory, for tests and simulation. A batch is durable at once;
// Clone shows what a crash would leave.
type Memory struct {
	mu     sync.RWMutex
	values map[string][]byte
	keys   []string // sorted; nil if it must be built again
}

// NewMemory returns an empty store.
func NewMemory() *Memory { return &Memory{values: map[string][]byte{}} }

// Clone returns a store with the same content, independent from now on.
func (m *Memory) Clone() *Memory {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return &Memory{values: maps.Clone(m.values)}
}

// Commit implements Store. The sorted keys are dropped only if a key came or went.
func (m *Memory) Commit(b *Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range b.changes {
		if _, known := m.values[string(c.key)]; known != (c.value != nil) {
			m.keys = nil
		}
		if c.value == nil {
			delete(m.values, string(c.key))
		} else {
			m.values[string(c.key)] = bytes.Clone(c.value)
		}
	}
	return nil
}

// Get implements Store.
func (m *Memory) Get(key []byte) ([]byte, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return bytes.Clone(m.values[string(key)]), nil
}

// Scan implements Store.
func (m *Memory) Scan(prefix []byte, f func(key, value []byte) error) error {
	return m.ScanAfter(prefix, nil, f)
}

// ScanAfter implements Store. The lock is not held while f runs, so that f may read the
// store.
func (m *Memory) ScanAfter(prefix, after []byte, f func(key, value []byte) error) error {
	m.mu.Lock()
	if m.keys == nil {
		for k := range m.values {
			m.keys = append(m.keys, k)
		}
		sort.Strings(m.keys)
	}
	keys := m.keys
	m.mu.Unlock()
	first := sort.SearchStrings(keys, string(prefix))
	if after != nil {
		first = max(first, sort.Search(len(keys), func(i int) bool { return keys[i] > string(after) }))
	}
	for i := first; i < len(keys); i++ {
		if !bytes.HasPrefix([]byte(keys[i]), prefix) {
			break
		}
		m.mu.RLock()
		v, ok := m.values[keys[i]]
		m.mu.RUnlock()
		if !ok {
			continue
		}
		if err := f([]byte(keys[i]), v); err != nil {
			return err
		}
	}
	return nil
}

// Checkpoint implements Store; memory keeps none.
func (m *Memory) Checkpoint(string, int) error { return nil }

// Close implements Store.
func (m *Memory) Close() error { return nil }
