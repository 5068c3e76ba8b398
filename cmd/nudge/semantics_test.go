package main

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/storage"
	"github.com/nudge-engine/nudge/stream"
)

// semantics1 is the data directory of a server of semantics 1, stopped with SIGTERM at
// 2026-03-01T10:00:05Z: carts that wait until 12:00 (those of bob and cy have ended, that
// of eve came from an anonymous visitor), inactivity of ann due at 13:00, her birthday at
// 11:00, caps, dedupe keys, counters, and two of three visits of dan.
const semantics1 = "testdata/data/semantics1.tar.gz"

// unpackSemantics1 gives the directory and a clock that stands at its end.
func unpackSemantics1(t *testing.T) (dir string, now *atomic.Int64) {
	t.Helper()
	dir = t.TempDir()
	if err := unpack(semantics1, dir); err != nil {
		t.Fatal(err)
	}
	now = new(atomic.Int64)
	now.Store(time.Date(2026, 3, 1, 10, 0, 10, 0, time.UTC).UnixMilli())
	return dir, now
}

func openAt(t *testing.T, dir string, now *atomic.Int64) *dataDir {
	t.Helper()
	d := startDataDirAt(t, dir, func() (int64, error) { return now.Load(), nil })
	if err := d.engine.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.control.Attach(t.Context(), d.engine, d.publisher); err != nil {
		t.Fatal(err)
	}
	return d
}

// track publishes an event and waits until it is applied.
func (d *dataDir) track(t *testing.T, customer, id, name, properties string, at int64) {
	t.Helper()
	e := event.Event{
		Workspace: "default", Customer: customer, ID: id, Type: event.Track, Name: name, Time: at,
		Properties: []byte(properties),
	}
	done := make(chan error, 1)
	record := []stream.Record{{Kind: stream.KindEvent, Data: e.AppendTo(nil)}}
	if err := d.publisher.Add(0, record, func(err error) { done <- err }); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	d.send(t, 0, 0)
}

// A server of this version goes on with what one of semantics 1 left: its customers are
// known, its chains wait on and fire, its events are duplicates when they come again.
func TestUpgradeFromSemantics1(t *testing.T) {
	dir, now := unpackSemantics1(t)
	d := openAt(t, dir, now)
	start := now.Load()
	d.track(t, "dan", "v1", "Visit", `{}`, start) // came before: a duplicate
	d.track(t, "dan", "v3", "Visit", `{}`, start)
	d.track(t, "eve", "new", "Cart Cleared", `{"cart_id":"a1-1"}`, start)
	for _, to := range []string{"11:00:30", "12:00:30", "13:00:30", "14:00:30"} {
		at, err := time.Parse("2006-01-02 15:04:05", "2026-03-01 "+to)
		if err != nil {
			t.Fatal(err)
		}
		now.Store(at.UnixMilli())
		d.track(t, "clock", "at "+to, "Clock", `{}`, at.UnixMilli())
	}
	for customer, want := range map[string][]string{
		"ann": {"birthday/wish", "cart/last", "silent/back"},
		"bob": {"silent/back"},
		"cy":  nil,
		"dan": {"cart/last", "regulars/bravo"},
		"eve": nil,
		"wim": nil, // consent is refused
	} {
		v, err := d.engine.View(t.Context(), "default", customer)
		if err != nil || v == nil {
			t.Fatalf("%s is not known: %v", customer, err)
		}
		var got []string
		for _, p := range v.Pending {
			got = append(got, p.Campaign+"/"+p.Step)
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%s was sent %v; want %v", customer, got, want)
		}
	}
	d.stop()
	d.close(t)

	code, out, errs := runTool(t, "verify", "--data", dir)
	for _, want := range []string{"partition 0: ok: frames 27..", "partition 0: frames 1..26 are not compared"} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("verify: exit %d: %s%s; want %q", code, out, errs, want)
		}
	}
	code, out, errs = runTool(t, "customer", "dan", "--data", dir, "--at", "2026-03-01T12:30:00Z")
	if code != 0 || !strings.Contains(out, `"campaign": "regulars"`) {
		t.Errorf("dan after the upgrade: exit %d: %s%s", code, out, errs)
	}
	code, out, errs = runTool(t, "customer", "dan", "--data", dir, "--at", "2026-03-01T10:00:01.500Z")
	if code == 0 || !strings.Contains(errs, "the log and the checkpoints go back to 2026-03-01T10:00:01.607Z") {
		t.Errorf("dan before the upgrade: exit %d: %s%s; want that it cannot be looked at", code, out, errs)
	}
	code, out, errs = runTool(t, "explain", "--customer", "dan", "--campaign", "cart", "--data", dir)
	if code != 0 || !strings.Contains(out, "2026-03-01T10:00:01.607Z") || !strings.Contains(out, "last") {
		t.Errorf("explain: exit %d: %s%s; want from when on it knows", code, out, errs)
	}
}

// Before the server has taken the directory over, the tools say that another version
// computed it, and never that something is wrong with it.
func TestToolsOnSemantics1(t *testing.T) {
	dir, _ := unpackSemantics1(t)
	code, out, errs := runTool(t, "verify", "--data", dir)
	if code == 0 || !strings.Contains(out, "partition 0: not compared: computed by another version") ||
		strings.Contains(out, "WRONG") || strings.Contains(out, "differs") {
		t.Errorf("verify: exit %d: %s%s", code, out, errs)
	}
	code, out, errs = runTool(t, "customer", "ann", "--data", dir)
	if code == 0 || !strings.Contains(errs, "what another version computed, only that one can show") {
		t.Errorf("customer: exit %d: %s%s", code, out, errs)
	}
}

// What was not drained is refused, and stays as it was for the version that must drain it.
func TestUndrainedSemantics1IsRefused(t *testing.T) {
	dir, now := unpackSemantics1(t)
	d := startDataDirAt(t, dir, func() (int64, error) { return now.Load(), nil })
	var frame stream.Builder
	frame.Add(stream.KindTick, nil)
	if _, err := stream.AppendWait(t.Context(), d.events, stream.Append{Data: frame.Seal(now.Load())}); err != nil {
		t.Fatal(err)
	}
	err := d.engine.Start(t.Context())
	want := fmt.Sprintf("by a version of semantics 1, and this one computes semantics %d; start the version of semantics 1 "+
		"once more, stop it with SIGTERM", effect.Semantics)
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("unexpected error %v; want %q", err, want)
	}
	stored, err := d.store.Get(storage.MetaKey(0))
	if err != nil {
		t.Fatal(err)
	}
	if m, err := shard.DecodeMeta(stored); err != nil || m.Semantics != 1 {
		t.Errorf("unexpected snapshot %+v, error %v; want it as it was", m, err)
	}
	d.publisher.Close(t.Context())
	d.close(t)
}
