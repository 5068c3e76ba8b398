package actors

import (
	"encoding/hex"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/internal/goldentest"
	"github.com/nudge-engine/nudge/internal/wire"
)

func TestDedupeChunkGolden(t *testing.T) {
	d := newDedupe()
	for i := range uint64(5) {
		d.add(eventHash("w", "c", string(rune('a'+i))), 1000+int64(i/2))
	}
	b := d.chunks[0].appendTo(nil)
	goldentest.Bytes(t, "dedupe.v2", b)
	again := newDedupe()
	if err := again.load(3, b, 1002); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(again.seen, d.seen) || again.first != 3 {
		t.Errorf("unexpected set %v; want %v", again.seen, d.seen)
	}
	if err := again.load(5, b, 1002); err == nil {
		t.Error("a chunk may be missing and nobody notices")
	}
	for n := range b {
		if _, err := decodeDedupeChunk(b[:n]); !errors.Is(err, wire.ErrCorrupt) {
			t.Fatalf("prefix of %d bytes: unexpected error %v; want ErrCorrupt", n, err)
		}
	}
	// Version 1 kept no times: its ids count as long as the last of them.
	old, err := os.ReadFile("testdata/dedupe.v1.hex")
	if err != nil {
		t.Fatal(err)
	}
	v1, err := hex.DecodeString(strings.ReplaceAll(string(old), "\n", ""))
	if err != nil {
		t.Fatal(err)
	}
	again = newDedupe()
	if err := again.load(0, v1, 1004); err != nil || again.seen.len() != 5 {
		t.Errorf("version 1: %d ids, error %v", again.seen.len(), err)
	}
	again.evict(1003 + dedupeWindow)
	if again.evict(1004 + dedupeWindow); again.seen.len() != 0 {
		t.Errorf("version 1: %d ids are left after the window", again.seen.len())
	}
}

// An id is known until it is exactly as old as the window, whatever else came, also when
// the set comes from the store in between.
func TestDedupeWindow(t *testing.T) {
	d := newDedupe()
	d.add(1, 1000)
	d.add(2, 2000)
	d.evict(1000 + dedupeWindow - 1)
	if d.add(1, 1000+dedupeWindow-1) {
		t.Error("the id is forgotten before the window is over")
	}
	d.evict(1000 + dedupeWindow)
	if !d.add(1, 1000+dedupeWindow) || d.add(2, 1000+dedupeWindow) {
		t.Error("of two ids the first is as old as the window, and that one only")
	}
	stored := newDedupe()
	if err := stored.load(d.first, d.chunks[0].appendTo(nil), 1000+dedupeWindow); err != nil {
		t.Fatal(err)
	}
	for _, d := range []*dedupe{&d, &stored} {
		d.evict(2000 + dedupeWindow)
		if d.add(1, 2000+dedupeWindow) || !d.add(2, 2000+dedupeWindow) {
			t.Error("the id that came again is forgotten with its first coming")
		}
		if d.window(2000+dedupeWindow) != 1000 {
			t.Errorf("the set reaches %d ms back; want 1000", d.window(2000+dedupeWindow))
		}
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
	if d.evict(1000 + dedupeWindow); len(d.chunks) != 0 || d.seen.len() != 0 {
		t.Errorf("%d chunks, %d ids after a day; want none", len(d.chunks), d.seen.len())
	}
	if len(d.gone) != 4 {
		t.Errorf("chunks %v are to be deleted; want four", d.gone)
	}
}
