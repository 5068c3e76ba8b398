package shard

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/cespare/xxhash/v2"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/storage"
	"github.com/nudge-engine/nudge/stream"
)

const expireDefinitions = `apiVersion: nudge/v1
kind: Policy
metadata: {name: house}
spec: {anonymous_expiry: 1h}
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: news}
spec:
  trigger: {broadcast: {event: News}}
  steps: [{id: rest, delay: 20m}]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: nobody}
spec:
  trigger: {broadcast: {event: Nobody, audience: customer.id == "x"}}
  steps: [{id: rest, delay: 20m}]
`

// Whenever snapshots and restarts come, while customers expire, come again and are visited,
// the store has who is there, and its hash is that of a shard that never stopped.
func TestExpiryAgreesWithTheStore(t *testing.T) {
	expired := 0
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 2))
		w := newScriptWorld(t)
		w.clock = instant(t, "2026-03-01T10:00:00Z")
		w.apply(t, expireDefinitions)
		for n := range 120 {
			w.clock += int64(r.IntN(40 * 60_000))
			var records []stream.Record
			for range r.IntN(3) {
				e := event.Event{
					Workspace: "default",
					Customer:  fmt.Sprintf("anon:%d", r.IntN(8)),
					ID:        fmt.Sprintf("%d/%d", n, len(records)),
					Type:      event.Track,
					Name:      "E",
					Time:      w.clock,
				}
				records = append(records, stream.Record{Kind: stream.KindEvent, Data: e.AppendTo(nil)})
			}
			if r.IntN(15) == 0 {
				e := event.Event{
					Workspace: "default",
					ID:        fmt.Sprintf("b%d", n),
					Type:      event.Track,
					Name:      "News",
					Time:      w.clock,
				}
				records = append(records, stream.Record{Kind: stream.KindBroadcast, Data: e.AppendTo(nil)})
			}
			w.step(t, records...)
			if r.IntN(6) == 0 {
				w.snapshot(t)
			}
			if r.IntN(12) == 0 {
				w.recover(t)
			}
			if err := w.shard.Check(); err != nil {
				t.Fatalf("seed %d, frame %d: %v", seed, n, err)
			}
			if err := w.shard.CheckStored(w.store); err != nil && !w.shard.Changed() {
				t.Fatalf("seed %d, frame %d: %v", seed, n, err)
			}
		}
		w.snapshot(t)
		stored, customers := uint64(0), 0
		if err := w.store.Scan(storage.CustomerPrefix(0), func(_, v []byte) error {
			customers++
			stored += xxhash.Sum64(v)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		other := newScriptWorld(t)
		for i := range w.log {
			other.log = append(other.log, w.log[i])
			other.feed(t, &w.log[i])
		}
		other.snapshot(t)
		if got, want := w.shard.Meta().StateHash, other.shard.Meta().StateHash; got != want || stored != want {
			t.Fatalf(
				"seed %d: state %016x, the store's customers %016x; a shard that never stopped has %016x",
				seed,
				got,
				stored,
				want,
			)
		}
		expired += 8 - customers
	}
	if expired < 40 {
		t.Errorf("%d customers are gone in the end; the test says little", expired)
	}
}

// Who expires while a bulk scan is under way is not looked for any more.
func TestExpiryDuringATour(t *testing.T) {
	const customers = 2*maxTourVisits + 500
	w := newScriptWorld(t)
	w.clock = instant(t, "2026-03-01T10:00:00Z")
	w.apply(t, expireDefinitions)
	var records []stream.Record
	for n := range customers {
		e := event.Event{
			Workspace: "default", Customer: fmt.Sprintf("anon:%05d", n), ID: "m", Type: event.Track, Name: "E",
			Time: w.clock,
		}
		records = append(records, stream.Record{Kind: stream.KindEvent, Data: e.AppendTo(nil)})
	}
	w.step(t, records...)
	w.clock += 59 * 60_000
	e := event.Event{Workspace: "default", ID: "b", Type: event.Track, Name: "Nobody", Time: w.clock}
	w.step(t, stream.Record{Kind: stream.KindBroadcast, Data: e.AppendTo(nil)})
	tick := stream.Record{Kind: stream.KindTick}
	w.step(t, tick) // visits the first 2,000
	w.clock += 60_000
	w.step(t, tick) // visits the next; then all are due
	if got := w.shard.MemoryStats().Loaded; got != 0 || !w.shard.HasBulkScan() {
		t.Errorf(
			"%d customers are there, touring %v; want none, and the bulk scan under way",
			got,
			w.shard.HasBulkScan(),
		)
	}
	w.snapshot(t) // the store forgets them too
	w.step(t, tick)
	if w.shard.HasBulkScan() {
		t.Error("the bulk scan does not end")
	}
}
