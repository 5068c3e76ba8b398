package shard

import (
	"maps"
	"slices"
	"sort"

	"github.com/nudge-engine/nudge/storage"
)

// pendingDeletes are deleted customers whom the store may still return until the next
// snapshot is durable; such values are ignored. Both maps go from the customer's key to
// the customer's part of the state hash, which the snapshot subtracts.
type pendingDeletes struct {
	next   map[string]uint64 // the next snapshot deletes them
	saving map[string]uint64 // the snapshot under way deletes them
}

// has reports whether what the store returns for a customer is out of date.
func (r *pendingDeletes) has(key string) bool {
	_, next := r.next[key]
	_, saving := r.saving[key]
	return next || saving
}

// size returns how many there are; a customer in both maps counts twice.
func (r *pendingDeletes) size() int { return len(r.next) + len(r.saving) }

// remove deletes a customer from the shard, and from the store with the next snapshot.
func (s *Shard) remove(h *resident) {
	key := h.timer.Key
	s.wheel.Disarm(&h.timer)
	if h.dirty {
		s.dirty = slices.DeleteFunc(s.dirty, func(other *resident) bool { return other == h })
	}
	s.customers.remove(h)
	if s.pendingDeletes.next == nil {
		s.pendingDeletes.next = map[string]uint64{}
	}
	// If the customer was deleted, came back and is deleted again within one snapshot
	// interval, the first deletion has the hash that the store's value was counted with.
	if _, again := s.pendingDeletes.next[key]; !again {
		s.pendingDeletes.next[key] = h.stateHash
	}
	t := &s.bulkScans
	if i := sort.SearchStrings(t.index, key); i < len(t.index) && t.index[i] == key {
		t.index = slices.Delete(t.index, i, i+1)
	}
	t.createdSince = slices.DeleteFunc(t.createdSince, func(other string) bool { return other == key })
}

// remove deletes a customer from the cache with their timer; drop keeps the timer.
func (m *customerCache) remove(h *resident) {
	m.leave(h)
	delete(m.all, h.timer.Key)
}

// snapshotRemovals adds the deletions to a snapshot. It must come before the values that
// are set, because a deleted customer can have come back.
func (s *Shard) snapshotRemovals(b *storage.Batch) {
	for _, key := range slices.Sorted(maps.Keys(s.pendingDeletes.next)) {
		workspace, id := splitKey(key)
		b.Delete(storage.CustomerKey(s.config.Partition, workspace, id))
		s.state -= s.pendingDeletes.next[key]
	}
	s.pendingDeletes.saving, s.pendingDeletes.next = s.pendingDeletes.next, nil
}
