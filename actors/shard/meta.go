package shard

import (
	"fmt"

	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/internal/wire"
)

// A stored shard meta, version 1: format byte; semantics, now; position applied
// (sequence, time, hash); number and hash of the last effect message; number of the last
// control record; claim (node, epoch); state hash; hold (until, mark); limit of the
// dedupe set.
const metaFormat = 1

// Meta is the head of a snapshot: up to where the log was applied, and what is needed to
// go on from there without reading what came before.
type Meta struct {
	// Semantics is the version of what computed the state. A program of another one must
	// not go on from a snapshot that has not drained.
	Semantics uint64
	Now       int64 // log time, ms
	Applied   Position
	Emitted   uint64 // number of the last effect message
	LastHash  uint64 // XXH64 of its bytes
	Control   uint64 // number of the last control record applied
	Claim     control.Claim
	// StateHash is the sum, mod 2^64, of the XXH64 of each stored customer and of the
	// hash of each erased one. A sum has no order, so a snapshot updates it from what
	// changed alone; nudge verify compares it with that of a replay.
	StateHash  uint64
	HoldUntil  int64 // log time, ms, at which the catch-up barrier ends; 0: it is not up
	HoldMark   int64 // timers due at or before this log time, ms, wait behind the barrier
	DedupeSize int   // how many event ids the partition remembers at most
}

// Encode returns the stored form.
func (m *Meta) Encode() []byte {
	b := []byte{metaFormat}
	b = wire.AppendUint(b, m.Semantics)
	b = wire.AppendInt(b, m.Now)
	b = wire.AppendUint(b, m.Applied.Seq)
	b = wire.AppendInt(b, m.Applied.Time)
	b = wire.AppendFixed(b, m.Applied.Hash)
	b = wire.AppendUint(b, m.Emitted)
	b = wire.AppendFixed(b, m.LastHash)
	b = wire.AppendUint(b, m.Control)
	b = wire.AppendString(b, m.Claim.Node)
	b = wire.AppendUint(b, m.Claim.Epoch)
	b = wire.AppendFixed(b, m.StateHash)
	b = wire.AppendInt(b, m.HoldUntil)
	b = wire.AppendInt(b, m.HoldMark)
	return wire.AppendUint(b, uint64(m.DedupeSize))
}

// DecodeMeta decodes what Encode returned. Errors are of class wire.ErrCorrupt.
func DecodeMeta(p []byte) (Meta, error) {
	d := wire.NewDecoder(p)
	if f := d.Byte(); d.Err() == nil && f != metaFormat {
		return Meta{}, fmt.Errorf("actors: shard meta: %w: format %d; this program reads format %d",
			wire.ErrCorrupt, f, metaFormat)
	}
	m := Meta{
		Semantics: d.Uint(), Now: d.Int(),
		Applied: Position{Seq: d.Uint(), Time: d.Int(), Hash: d.Fixed()},
		Emitted: d.Uint(), LastHash: d.Fixed(), Control: d.Uint(),
		Claim: control.Claim{Node: d.String(), Epoch: d.Uint()}, StateHash: d.Fixed(),
		HoldUntil: d.Int(), HoldMark: d.Int(), DedupeSize: int(d.Uint()),
	}
	if err := d.Done(); err != nil {
		return Meta{}, fmt.Errorf("actors: shard meta: %w", err)
	}
	return m, nil
}

// Meta describes the shard as a snapshot would now. Its state hash is that of the last
// snapshot, because the hash is brought up to date by Snapshot.
func (s *Shard) Meta() Meta {
	return Meta{
		Semantics: s.config.Semantics, Now: s.now, Applied: s.applied, Emitted: s.emitted, LastHash: s.lastHash,
		Control: s.ctl, Claim: s.claim, StateHash: s.changes.hash(),
		HoldUntil: s.timers.until(), HoldMark: s.timers.mark(),
		DedupeSize: s.dedupe.MaxIDs(),
	}
}
