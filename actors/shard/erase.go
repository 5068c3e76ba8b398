package shard

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/nudge-engine/nudge/actors/shard/erase"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/storage"
	"github.com/nudge-engine/nudge/stream"
)

// maxErased bounds the erased customers that a partition remembers: about 32 MiB of
// hashes. A further erasure is refused rather than forgotten.
const maxErased = 1 << 20

// ErrEraseKey reports that a customer was erased under another key than this program has.
// It would compute other hashes and take the customer's later events again.
var ErrEraseKey = errors.New("actors: another erase key")

// erased are the hashes of the erased customers of a partition, whose records are
// dropped.
type erased struct {
	*partition

	changes *changes

	set   map[erase.Hash]struct{}
	fresh []erase.Hash // added since the last snapshot
}

// Erased reports whether a customer was erased.
func (s *Shard) Erased(workspace, customer string) bool { return s.erased.has(workspace, customer) }

// has reports whether a customer was erased.
func (e *erased) has(workspace, customer string) bool {
	if len(e.set) == 0 {
		return false
	}
	_, is := e.set[e.hash(workspace, customer)]
	return is
}

// hash returns what remains of a customer who is erased.
func (e *erased) hash(workspace, customer string) erase.Hash {
	return erase.HashOf(e.config.EraseKey, workspace, customer)
}

// full reports whether no more customers can be erased.
func (e *erased) full() bool { return len(e.set) >= maxErased }

// add remembers an erased customer.
func (e *erased) add(hash erase.Hash) {
	e.set[hash] = struct{}{}
	e.fresh = append(e.fresh, hash)
}

// drops reports whether a record is about an erased customer, and drops it then. h is the
// customer of the record, nil if there is none; only in that case is the hash computed,
// because an erased customer does not exist.
func (e *erased) drops(h *resident, workspace, customer string, index int, out *effect.Effects) bool {
	if h != nil || !e.has(workspace, customer) {
		return false
	}
	out.Drops = append(out.Drops, effect.Drop{Index: uint32(index), Reason: output.Erased})
	return true
}

// keyed returns ErrEraseKey if the frame erases a customer under another key than this
// program has.
func (e *erased) keyed(in *Input) error {
	for i := range in.Frame.Records {
		r := &in.Frame.Records[i]
		if r.Kind != stream.KindErase {
			continue
		}
		x, err := erase.Decode(r.Data)
		if err == nil && x.Key != erase.Fingerprint(e.config.EraseKey) {
			return fmt.Errorf("%w: partition %d, frame %d: a customer was erased under key %016x, this program has "+
				"%016x; set NUDGE_ERASE_KEY to the one of that server", ErrEraseKey, e.config.Partition, in.At.Seq,
				x.Key, erase.Fingerprint(e.config.EraseKey))
		}
	}
	return nil
}

// applyErase deletes a customer and keeps the hash. Deliveries that were handed off and
// have not left are recalled. A second erasure of a customer is dropped.
func (s *Shard) applyErase(index int, record *stream.Record, out *effect.Effects) error {
	e, err := erase.Decode(record.Data)
	if err != nil {
		return err
	}
	if s.Erased(e.Workspace, e.Customer) {
		out.Drops = append(out.Drops, effect.Drop{Index: uint32(index), Reason: output.Deduplicate})
		return nil
	}
	if s.erased.full() {
		return fmt.Errorf("actors: %d customers of the partition are erased; no more are remembered", maxErased)
	}
	hash := s.erased.hash(e.Workspace, e.Customer)
	key := Key(e.Workspace, e.Customer)
	if h := s.customers.get(key); h != nil {
		m := s.runner.use(e.Workspace)
		s.runner.run(h, out, func() {
			m.Erase(h.c, s.now, &out.Output)
		}, func(detail string) {
			s.deadLetters.add(index, record, output.ReasonPanic, detail, out)
		})
		s.remove(h)
	}
	s.erased.add(hash)
	out.Decisions = append(out.Decisions, output.Decision{
		Workspace: e.Workspace, Kind: output.Erased, Detail: hash.String(), At: s.now,
	})
	return nil
}

// save adds to a snapshot the customers who were erased since the last one.
func (e *erased) save(b *storage.Batch) {
	p := e.config.Partition
	for _, hash := range e.fresh {
		b.Set(storage.ErasedKey(p, hash[:]), []byte{1})
		e.changes.hashed(hash[:])
	}
	e.fresh = e.fresh[:0]
}

// load loads the erased customers of a snapshot.
func (e *erased) load(store storage.Store) error {
	prefix := storage.ErasedPrefix(e.config.Partition)
	return store.Scan(prefix, func(k, _ []byte) error {
		var hash erase.Hash
		if copy(hash[:], bytes.TrimPrefix(k, prefix)) != len(hash) {
			return fmt.Errorf("actors: partition %d: %q is no key of an erased customer", e.config.Partition, k)
		}
		e.set[hash] = struct{}{}
		return nil
	})
}

// countErased counts the events that were dropped because their customer is erased. What
// a replay drops again was counted by the process before.
func (o *Owner) countErased(in *Input) {
	if in.At.Seq <= o.origin {
		return
	}
	for i := range o.out.Drops {
		d := &o.out.Drops[i]
		if d.Reason == output.Erased && in.Frame.Records[d.Index].Kind == stream.KindEvent {
			o.refused++
		}
	}
}
