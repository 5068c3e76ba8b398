package shard

import (
	"encoding/binary"
	"fmt"

	"github.com/nudge-engine/nudge/actors/shard/wheel"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/storage"
)

// maxKeptDirty is the length up to which the list of changed customers is kept for reuse.
// A longer one, 512 KiB of pointers and more, is given back.
const maxKeptDirty = 1 << 16

// Snapshot returns a batch with everything that changed since the last one: customers,
// deletions, event ids, definitions, bulk scans, experiment counts and the meta. Because
// it is one batch, a crash leaves the whole snapshot or the one before. The caller
// commits it and then calls Saved; frames may be applied meanwhile.
//
// REQUIRES: no frame is half applied; every effect emitted is acknowledged (C4); the
// snapshot before was saved.
func (s *Shard) Snapshot() *storage.Batch {
	if s.part != 0 || s.saving {
		panic(fmt.Sprintf("BUG: partition %d: snapshot in the middle of a frame (part %d) or of another snapshot (%v)",
			s.config.Partition, s.part, s.saving))
	}
	b := new(storage.Batch)
	p := s.config.Partition
	s.snapshotRemovals(b)
	for _, h := range s.dirty {
		value := h.c.AppendTo(nil)
		share := hashBytes(value)
		// Replace the customer's old part of the state hash, 0 for a new one, by the new
		// one.
		s.state += share - h.stateHash
		h.stateHash, h.dirty = share, false
		s.customers.resize(h, int32(len(value)*sizeFactor))
		b.Set(storage.CustomerKey(p, h.c.Workspace, h.c.ID), value)
	}
	if s.dirty = s.dirty[:0]; cap(s.dirty) > maxKeptDirty {
		s.dirty = nil
	}
	s.dedupe.Save(p, b)
	s.saveErased(b)
	if s.defs.dirty {
		b.Set(storage.DefinitionsKey(p), s.defs.encode())
		s.defs.dirty = false
	}
	if s.bulkScans.dirty {
		b.Set(storage.ToursKey(p), s.bulkScans.encode())
		s.bulkScans.dirty = false
	}
	s.experiments.Snapshot(p, b)
	meta := s.Meta()
	b.Set(storage.MetaKey(p), meta.Encode())
	s.touched, s.saving = false, true
	return b
}

// Changed reports whether a snapshot would hold anything new.
func (s *Shard) Changed() bool { return s.touched }

// DirtyBytes estimates the size of the next snapshot, in bytes.
func (s *Shard) DirtyBytes() int64 { return int64(len(s.dirty)) * guessBytes }

// Saved reports that the last snapshot is durable. Customers who changed before it may
// now be passivated, so a new round of that begins, and memory is brought under its
// limit.
func (s *Shard) Saved() {
	s.saving = false
	s.pendingDeletes.saving = nil
	s.customers.round = len(s.customers.awake)
	if s.config.MemoryLimit == 0 {
		return
	}
	s.customers.shrink(s.config.MemoryLimit)
}

// Passivate keeps as bytes those of the next n customers who were not used since the last
// round. It bounds n because it runs between frames.
func (s *Shard) Passivate(n int) { s.image = s.customers.passivate(n, s.image) }

// Load brings a customer into memory from their stored value, nil if the store has none.
// It does nothing if the customer is in memory already, or was deleted since the
// snapshot: what the shard knows is newer than what the store returned.
func (s *Shard) Load(key string, value []byte) error {
	if value == nil || s.pendingDeletes.has(key) {
		return nil
	}
	if h := s.customers.all[key]; h != nil && h.inMemory() {
		return nil
	}
	c, err := customer.Decode(value, s.names)
	if err != nil {
		return fmt.Errorf("actors: partition %d: customer %q: %w", s.config.Partition, key, err)
	}
	h := s.customers.put(key, c, int32(len(value)*sizeFactor))
	h.stateHash = hashBytes(value)
	return nil
}

// Recover makes the shard what the snapshot in store says. It must be called before the
// first Step; a store without a snapshot leaves the shard as New made it. A snapshot of
// another semantics is refused with ErrSemantics, so recovery.TakeOver comes before.
//
// Customers are read once to arm their timers, and kept in memory as far as the limit
// allows.
func (s *Shard) Recover(store storage.Store) error {
	p := s.config.Partition
	stored, err := store.Get(storage.MetaKey(p))
	if err != nil || stored == nil {
		return err
	}
	m, err := DecodeMeta(stored)
	if err != nil {
		return err
	}
	if m.Semantics != s.config.Semantics {
		return SemanticsError(p, m.Semantics, s.config.Semantics)
	}
	s.now, s.applied, s.emitted, s.lastHash = m.Now, m.Applied, m.Emitted, m.LastHash
	s.ctl, s.claim, s.state = m.Control, m.Claim, m.StateHash
	s.hold.until, s.hold.mark = m.HoldUntil, m.HoldMark
	s.dedupe.SetLimit(m.DedupeSize)
	s.wheel.Begin(m.Now)
	if defs, err := store.Get(storage.DefinitionsKey(p)); err != nil {
		return err
	} else if defs != nil {
		if err := s.defs.load(defs); err != nil {
			return err
		}
	}
	if stored, err := store.Get(storage.ToursKey(p)); err != nil {
		return err
	} else if stored != nil {
		if err := s.bulkScans.load(stored); err != nil {
			return err
		}
	}
	if err := store.Scan(storage.TallyPrefix(p), func(_, v []byte) error { return s.experiments.Load(v) }); err != nil {
		return err
	}
	if err := store.Scan(storage.DedupePrefix(p), func(k, v []byte) error {
		return s.dedupe.Load(binary.BigEndian.Uint64(k[len(k)-8:]), v, m.Now)
	}); err != nil {
		return err
	}
	if err := store.Scan(storage.CustomerPrefix(p), s.recoverCustomer); err != nil {
		return err
	}
	if err := s.loadErased(store); err != nil {
		return err
	}
	s.migration.done = m.Now
	s.planMigration()
	return nil
}

// recoverCustomer keeps a customer in memory while there is room; otherwise it only arms
// the timer. The value is not decoded: a partition may have millions of customers.
func (s *Shard) recoverCustomer(k, v []byte) error {
	due, err := customer.DecodeNextDue(v)
	if err != nil {
		return err
	}
	workspace, id, ok := storage.ParseCustomerKey(k)
	if !ok {
		return fmt.Errorf("actors: partition %d: %q is no customer's key", s.config.Partition, k)
	}
	key := Key(workspace, id)
	if limit := s.config.MemoryLimit; limit == 0 || s.customers.bytes < limit {
		s.customers.lay(key, v).stateHash = hashBytes(v)
	} else {
		s.customers.inStore = true
		if due != 0 {
			s.customers.all[key] = &resident{timer: wheel.NewTimer(key)}
		}
	}
	if due != 0 {
		s.wheel.Arm(&s.customers.all[key].timer, due)
	}
	return nil
}
