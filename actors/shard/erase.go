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

// maxErased bounds the erased customers of a partition, 32 bytes each.
const maxErased = 1 << 20

// ErrEraseKey means that a customer was erased under another key than this program has:
// it could not know their events again.
var ErrEraseKey = errors.New("actors: another erase key")

// erased is the customers that a partition must not know again.
type erased struct {
	set   map[erase.Hash]struct{}
	fresh []erase.Hash // since the last snapshot
}

func newErased() erased { return erased{set: map[erase.Hash]struct{}{}} }

// Erased says whether a customer was erased.
func (s *Shard) Erased(workspace, customer string) bool {
	if len(s.erased.set) == 0 {
		return false
	}
	_, is := s.erased.set[erase.HashOf(s.config.EraseKey, workspace, customer)]
	return is
}

// suppressed drops a record about an erased customer. h is the customer, nil when there is
// none: only then it can be an erased one.
func (s *Shard) suppressed(h *resident, workspace, customer string, index int, out *effect.Effects) bool {
	if h != nil || !s.Erased(workspace, customer) {
		return false
	}
	out.Drops = append(out.Drops, effect.Drop{Index: uint32(index), Reason: output.Erased})
	return true
}

// keyed says whether the erase records of a frame are of this program's key: with another
// it would compute another state.
func (s *Shard) keyed(in *Input) error {
	for i := range in.Frame.Records {
		r := &in.Frame.Records[i]
		if r.Kind != stream.KindErase {
			continue
		}
		e, err := erase.Decode(r.Data)
		if err == nil && e.Key != erase.Fingerprint(s.config.EraseKey) {
			return fmt.Errorf("%w: partition %d, frame %d: a customer was erased under key %016x, this program has "+
				"%016x; set NUDGE_ERASE_KEY to the one of that server", ErrEraseKey, s.config.Partition, in.At.Seq,
				e.Key, erase.Fingerprint(s.config.EraseKey))
		}
	}
	return nil
}

// applyErase forgets a customer and keeps the hash. What was handed off and has not left
// is recalled.
func (s *Shard) applyErase(index int, record *stream.Record, out *effect.Effects) error {
	e, err := erase.Decode(record.Data)
	if err != nil {
		return err
	}
	if s.Erased(e.Workspace, e.Customer) {
		out.Drops = append(out.Drops, effect.Drop{Index: uint32(index), Reason: output.Deduplicate})
		return nil
	}
	if len(s.erased.set) >= maxErased {
		return fmt.Errorf("actors: %d customers of the partition are erased; no more are remembered", maxErased)
	}
	hash := erase.HashOf(s.config.EraseKey, e.Workspace, e.Customer)
	key := Key(e.Workspace, e.Customer)
	if h := s.customers.get(key); h != nil {
		s.machine.Use(s.defs.set(e.Workspace))
		s.guard(h, out, func() {
			s.machine.Erase(h.c, s.now, &out.Output)
		}, func(detail string) {
			s.addDeadLetter(index, record, output.ReasonPanic, detail, out)
		})
		s.remove(h)
	}
	s.erased.set[hash] = struct{}{}
	s.erased.fresh = append(s.erased.fresh, hash)
	out.Decisions = append(out.Decisions, output.Decision{
		Workspace: e.Workspace, Kind: output.Erased, Detail: hash.String(), At: s.now,
	})
	return nil
}

// saveErased puts into a snapshot who was erased since the last.
func (s *Shard) saveErased(b *storage.Batch) {
	p := s.config.Partition
	for _, hash := range s.erased.fresh {
		b.Set(storage.ErasedKey(p, hash[:]), []byte{1})
		s.state += hashBytes(hash[:])
	}
	s.erased.fresh = s.erased.fresh[:0]
}

// loadErased reads who was erased before the snapshot.
func (s *Shard) loadErased(store storage.Store) error {
	prefix := storage.ErasedPrefix(s.config.Partition)
	return store.Scan(prefix, func(k, _ []byte) error {
		var hash erase.Hash
		if copy(hash[:], bytes.TrimPrefix(k, prefix)) != len(hash) {
			return fmt.Errorf("actors: partition %d: %q is no key of an erased customer", s.config.Partition, k)
		}
		s.erased.set[hash] = struct{}{}
		return nil
	})
}

// countErased counts the events that were dropped because their customer is erased; what
// a replay drops again was counted by another process.
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
