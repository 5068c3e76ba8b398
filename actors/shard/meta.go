package shard

import (
	"fmt"

	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/internal/wire"
)

// A stored shard meta, version 1: format byte; semantics, now; position applied
// (sequence, time, hash); number and hash of the last effect message; number of
// the last control record; claim (node, epoch); state hash; hold (until, mark);
// limit of the dedupe set.
const metaFormat = 1

// Meta is what a snapshot says about its shard.
type Meta struct {
	Semantics  uint64
	Now        int64 // log time, ms
	Applied    Position
	Emitted    uint64 // number of the last effect message
	LastHash   uint64 // XXH64 of its bytes
	Control    uint64
	Claim      control.Claim
	StateHash  uint64 // sum of XXH64 over the stored customers, mod 2^64
	HoldUntil  int64
	HoldMark   int64
	DedupeSize int
}

// Encode is the stored form.
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

// DecodeMeta reads what Encode wrote.
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

// Meta is the shard as a snapshot would describe it now; its state hash is that
// of the last snapshot.
func (s *Shard) Meta() Meta {
	return Meta{
		Semantics: s.config.Semantics, Now: s.now, Applied: s.applied, Emitted: s.emitted, LastHash: s.lastHash,
		Control: s.ctl, Claim: s.claim, StateHash: s.state, HoldUntil: s.hold.until, HoldMark: s.hold.mark,
		DedupeSize: s.dedupe.MaxIDs(),
	}
}
