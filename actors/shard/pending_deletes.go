package shard

import (
	"maps"
	"slices"
	"sort"

	"github.com/nudge-engine/nudge/storage"
)

// pendingDeletes are customers who are gone and whom the store may still have: what it gives of
// them is not loaded. By key, with their part of the state hash.
type pendingDeletes struct {
	next   map[string]uint64 // are deleted with the next snapshot
	saving map[string]uint64 // with the one on its way
}

// has says whether the store's form of a customer is not theirs any more.
func (r *pendingDeletes) has(key string) bool {
	_, next := r.next[key]
	_, saving := r.saving[key]
	return next || saving
}

// size is how many there are at most.
func (r *pendingDeletes) size() int { return len(r.next) + len(r.saving) }

// remove takes a customer out of the shard, and with the next snapshot out of the store.
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
	if _, again := s.pendingDeletes.next[key]; !again { // else they came and went since the last snapshot
		s.pendingDeletes.next[key] = h.stateHash
	}
	t := &s.bulkScans
	if i := sort.SearchStrings(t.index, key); i < len(t.index) && t.index[i] == key {
		t.index = slices.Delete(t.index, i, i+1)
	}
	t.createdSince = slices.DeleteFunc(t.createdSince, func(other string) bool { return other == key })
}

// remove takes a customer out for good.
func (m *customerCache) remove(h *resident) {
	m.leave(h)
	delete(m.all, h.timer.Key)
}

// snapshotRemovals deletes in the batch who is gone. It must come before what is set: a
// customer can have come again.
func (s *Shard) snapshotRemovals(b *storage.Batch) {
	for _, key := range slices.Sorted(maps.Keys(s.pendingDeletes.next)) {
		workspace, id := splitKey(key)
		b.Delete(storage.CustomerKey(s.config.Partition, workspace, id))
		s.state -= s.pendingDeletes.next[key]
	}
	s.pendingDeletes.saving, s.pendingDeletes.next = s.pendingDeletes.next, nil
}
