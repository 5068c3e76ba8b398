package shard

import (
	"encoding/binary"
	"fmt"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/storage"
)

// Snapshot returns a batch with everything that changed since the last one: customers,
// deletions, event ids, definitions, bulk scans, experiment counts and the meta. Because
// it is one batch, a crash leaves the whole snapshot or the one before. The caller
// commits it and then calls Saved; frames may be applied meanwhile.
//
// REQUIRES: no frame is half applied; every effect emitted is acknowledged (C4); the
// snapshot before was saved.
func (s *Shard) Snapshot() *storage.Batch {
	if s.part != 0 || s.changes.underWay() {
		panic(fmt.Sprintf("BUG: partition %d: snapshot in the middle of a frame (part %d) or of another snapshot (%v)",
			s.config.Partition, s.part, s.changes.underWay()))
	}
	b := new(storage.Batch)
	p := s.config.Partition
	s.changes.save(b)
	s.dedupe.Save(p, b)
	s.erased.save(b)
	s.defs.save(p, b)
	s.bulkScans.save(b)
	s.tallies.save(b)
	meta := s.Meta()
	b.Set(storage.MetaKey(p), meta.Encode())
	s.changes.saveBegan()
	return b
}

// Changed reports whether a snapshot would hold anything new.
func (s *Shard) Changed() bool { return s.changes.some() }

// DirtyBytes estimates the size of the next snapshot, in bytes.
func (s *Shard) DirtyBytes() int64 { return int64(s.changes.count()) * guessBytes }

// Saved reports that the last snapshot is durable. Customers who changed before it may
// now be passivated, so a new round of that begins, and memory is brought under its
// limit.
func (s *Shard) Saved() {
	s.changes.saved()
	s.customers.saved(s.config.MemoryLimit)
}

// Passivate keeps as bytes those of the next n customers who were not used since the last
// round. It bounds n because it runs between frames.
func (s *Shard) Passivate(n int) { s.runner.passivate(&s.customers, n) }

// Load brings a customer into memory from their stored value, nil if the store has none.
// It does nothing if the customer is in memory already, or was deleted since the
// snapshot: what the shard knows is newer than what the store returned.
func (s *Shard) Load(key string, value []byte) error {
	if value == nil || s.changes.deletes(key) {
		return nil
	}
	if h := s.customers.entry(key); h != nil && h.inMemory() {
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
	s.ctl, s.claim = m.Control, m.Claim
	s.changes.begin(m.StateHash)
	s.dedupe.SetLimit(m.DedupeSize)
	s.timers.begin(m.Now, m.HoldUntil, m.HoldMark)
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
	if err := store.Scan(storage.TallyPrefix(p), func(_, v []byte) error { return s.tallies.load(v) }); err != nil {
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
	if err := s.erased.load(store); err != nil {
		return err
	}
	s.migration.after(m.Now)
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
	h := s.customers.restore(key, v, due != 0, s.config.MemoryLimit)
	if due != 0 {
		s.timers.arm(h, due)
	}
	return nil
}
