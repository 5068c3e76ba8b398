package shard

import (
	"errors"
	"testing"

	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/internal/goldentest"
	"github.com/nudge-engine/nudge/internal/wire"
)

func TestMetaGolden(t *testing.T) {
	m := Meta{
		Semantics:  1,
		Now:        1_772_359_200_000,
		Applied:    Position{Seq: 5, Time: 1_772_359_200_000_000_000, Hash: 6},
		Emitted:    7,
		LastHash:   8,
		Control:    9,
		Claim:      control.Claim{Node: "n", Epoch: 10},
		StateHash:  11,
		HoldUntil:  12,
		HoldMark:   13,
		DedupeSize: 14,
	}
	b := m.Encode()
	goldentest.Bytes(t, "meta.v1", b)
	if got, err := DecodeMeta(b); err != nil || got != m {
		t.Errorf("unexpected meta %+v, error %v", got, err)
	}
	for n := range b {
		if _, err := DecodeMeta(b[:n]); !errors.Is(err, wire.ErrCorrupt) {
			t.Fatalf("prefix of %d bytes: unexpected error %v; want ErrCorrupt", n, err)
		}
	}
}
