package shard

import (
	"maps"
	"slices"

	"github.com/nudge-engine/nudge/storage"
)

// changes are the customers whom the next snapshot writes or deletes, and the hash of the state.
type changes struct {
	*partition

	customers *customerCache

	dirty   []*resident // changed since the last snapshot
	deleted pendingDeletes
	state   uint64 // state hash (see Meta.StateHash) as of the last snapshot
	touched bool   // a frame was applied, or begun, since the last snapshot
	saving  bool   // a snapshot was handed out and not yet reported as saved
}

// maxKeptDirty is the length up to which the list of changed customers is kept for reuse.
// A longer one, 512 KiB of pointers and more, is given back.
const maxKeptDirty = 1 << 16

// touch notes that a frame begins.
func (ch *changes) touch() { ch.touched = true }

// some reports whether a snapshot would hold anything new.
func (ch *changes) some() bool { return ch.touched }

// underWay reports whether a snapshot was handed out and is not yet saved.
func (ch *changes) underWay() bool { return ch.saving }

// add adds a customer to those that the next snapshot writes.
func (ch *changes) add(h *resident) {
	if !h.dirty {
		h.dirty = true
		ch.dirty = append(ch.dirty, h)
	}
}

// count returns how many customers the next snapshot writes.
func (ch *changes) count() int { return len(ch.dirty) }

// remove makes the next snapshot delete a customer.
func (ch *changes) remove(h *resident) {
	key := h.timer.Key
	if h.dirty {
		ch.dirty = slices.DeleteFunc(ch.dirty, func(other *resident) bool { return other == h })
	}
	if ch.deleted.next == nil {
		ch.deleted.next = map[string]uint64{}
	}
	// If the customer was deleted, came back and is deleted again within one snapshot
	// interval, the first deletion has the hash that the store's value was counted with.
	if _, again := ch.deleted.next[key]; !again {
		ch.deleted.next[key] = h.stateHash
	}
}

// deletes reports whether what the store returns for a customer is out of date.
func (ch *changes) deletes(key string) bool { return ch.deleted.has(key) }

// deleting returns how many customers the store has yet to delete; it may count some twice.
func (ch *changes) deleting() int { return ch.deleted.size() }

// hash returns the state hash as of the last snapshot.
func (ch *changes) hash() uint64 { return ch.state }

// begin sets the state hash to that of the snapshot from which the shard recovers.
func (ch *changes) begin(state uint64) { ch.state = state }

// hashed adds what a snapshot writes beside customers to the state hash.
func (ch *changes) hashed(b []byte) { ch.state += hashBytes(b) }

// save adds the customers who were deleted or changed to a snapshot.
func (ch *changes) save(b *storage.Batch) {
	ch.saveDeletes(b)
	for _, h := range ch.dirty {
		value := h.c.AppendTo(nil)
		share := hashBytes(value)
		// Replace the customer's old part of the state hash, 0 for a new one, by the new
		// one.
		ch.state += share - h.stateHash
		h.stateHash, h.dirty = share, false
		ch.customers.resize(h, int32(len(value)*sizeFactor))
		b.Set(storage.CustomerKey(ch.config.Partition, h.c.Workspace, h.c.ID), value)
	}
	if ch.dirty = ch.dirty[:0]; cap(ch.dirty) > maxKeptDirty {
		ch.dirty = nil
	}
}

// saveDeletes adds the deletions to a snapshot. It must come before the values that
// are set, because a deleted customer can have come back.
func (ch *changes) saveDeletes(b *storage.Batch) {
	for _, key := range slices.Sorted(maps.Keys(ch.deleted.next)) {
		workspace, id := splitKey(key)
		b.Delete(storage.CustomerKey(ch.config.Partition, workspace, id))
		ch.state -= ch.deleted.next[key]
	}
	ch.deleted.saving, ch.deleted.next = ch.deleted.next, nil
}

// saveBegan notes that a snapshot is complete and handed out.
func (ch *changes) saveBegan() { ch.touched, ch.saving = false, true }

// saved notes that the snapshot under way is durable.
func (ch *changes) saved() { ch.saving, ch.deleted.saving = false, nil }

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
