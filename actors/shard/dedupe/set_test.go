package dedupe

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
	d := New()
	for i := range uint64(5) {
		d.Add(EventHash("w", "c", string(rune('a'+i))), 1000+int64(i/2))
	}
	b := d.chunks[0].appendTo(nil)
	goldentest.Bytes(t, "dedupe.v2", b)
	again := New()
	if err := again.Load(3, b, 1002); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(again.seen, d.seen) || again.first != 3 {
		t.Errorf("unexpected set %v; want %v", again.seen, d.seen)
	}
	if err := again.Load(5, b, 1002); err == nil {
		t.Error("a chunk may be missing and nobody notices")
	}
	for n := range b {
		if _, err := decodeChunk(b[:n]); !errors.Is(err, wire.ErrCorrupt) {
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
	again = New()
	if err := again.Load(0, v1, 1004); err != nil || again.seen.len() != 5 {
		t.Errorf("version 1: %d ids, error %v", again.seen.len(), err)
	}
	again.Evict(1003 + windowMillis)
	if again.Evict(1004 + windowMillis); again.seen.len() != 0 {
		t.Errorf("version 1: %d ids are left after the window", again.seen.len())
	}
}

// An id is known until it is exactly as old as the window, whatever else came, also when
// the set comes from the store in between.
func TestDedupeWindow(t *testing.T) {
	d := New()
	d.Add(1, 1000)
	d.Add(2, 2000)
	d.Evict(1000 + windowMillis - 1)
	if d.Add(1, 1000+windowMillis-1) {
		t.Error("the id is forgotten before the window is over")
	}
	d.Evict(1000 + windowMillis)
	if !d.Add(1, 1000+windowMillis) || d.Add(2, 1000+windowMillis) {
		t.Error("of two ids the first is as old as the window, and that one only")
	}
	stored := New()
	if err := stored.Load(d.first, d.chunks[0].appendTo(nil), 1000+windowMillis); err != nil {
		t.Fatal(err)
	}
	for _, d := range []*Set{&d, &stored} {
		d.Evict(2000 + windowMillis)
		if d.Add(1, 2000+windowMillis) || !d.Add(2, 2000+windowMillis) {
			t.Error("the id that came again is forgotten with its first coming")
		}
		if d.Window(2000+windowMillis) != 1000 {
			t.Errorf("the set reaches %d ms back; want 1000", d.Window(2000+windowMillis))
		}
	}
}

// The set is exact within its window and limit, and forgets in log order.
func TestDedupeEviction(t *testing.T) {
	d := New()
	d.limit = 2 * chunkSize
	for i := range uint64(3 * chunkSize) {
		if !d.Add(i, 1000) || d.Add(i, 1000) {
			t.Fatalf("id %d: new ids are new once", i)
		}
	}
	d.Evict(1000)
	if d.Add(0, 1000) == false || d.Add(chunkSize, 1000) {
		t.Error("the oldest chunk is to be forgotten, the next is not")
	}
	if d.Evict(1000 + windowMillis); len(d.chunks) != 0 || d.seen.len() != 0 {
		t.Errorf("%d chunks, %d ids after a day; want none", len(d.chunks), d.seen.len())
	}
	if len(d.gone) != 4 {
		t.Errorf("chunks %v are to be deleted; want four", d.gone)
	}
}
