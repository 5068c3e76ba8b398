package actors

import (
	"errors"
	"reflect"
	"testing"

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
		Claim:      Claim{Node: "n", Epoch: 10},
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

func TestDedupeChunkGolden(t *testing.T) {
	d := newDedupe()
	for i := range uint64(5) {
		d.add(eventHash("w", "c", string(rune('a'+i))), 1000+int64(i))
	}
	b := d.chunks[0].appendTo(nil)
	goldentest.Bytes(t, "dedupe.v1", b)
	again := newDedupe()
	if err := again.load(3, b); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(again.seen, d.seen) || again.first != 3 {
		t.Errorf("unexpected set %v; want %v", again.seen, d.seen)
	}
	if err := again.load(5, b); err == nil {
		t.Error("a chunk may be missing and nobody notices")
	}
}

// The set is exact within its window and limit, and forgets in log order.
func TestDedupeEviction(t *testing.T) {
	d := newDedupe()
	d.limit = 2 * dedupeChunkSize
	for i := range uint64(3 * dedupeChunkSize) {
		if !d.add(i, 1000) || d.add(i, 1000) {
			t.Fatalf("id %d: new ids are new once", i)
		}
	}
	d.evict(1000)
	if d.add(0, 1000) == false || d.add(dedupeChunkSize, 1000) {
		t.Error("the oldest chunk is to be forgotten, the next is not")
	}
	d.evict(1000 + dedupeWindow)
	if len(d.chunks) != 1 || d.window(1000+dedupeWindow) > dedupeWindow {
		t.Errorf("%d chunks, window %d after a day; want 1 chunk", len(d.chunks), d.window(1000+dedupeWindow))
	}
	if len(d.gone) != 3 {
		t.Errorf("chunks %v are to be deleted; want three", d.gone)
	}
}
