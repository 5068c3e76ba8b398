package shard

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/actors/shard/view"
	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/storage"
	"github.com/nudge-engine/nudge/stream"
)

// A bulk scan over passivated customers and others visits each once, whatever restarts,
// crashes, records and new customers come between its slices.
func TestTourReachesEverybodyOnce(t *testing.T) {
	// shows: 59, 62
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 4))
		w := newScriptWorld(t)
		w.clock = 1_772_000_000_000
		w.apply(t, "apiVersion: nudge/v1\nkind: Campaign\nmetadata: {name: storm}\nspec:\n"+
			"  trigger: {broadcast: {event: Storm}}\n  steps: [{id: s, exit: {}}]\n")
		const customers = 3*maxTourVisits + 17
		call := func(n int, id string) stream.Record {
			e := event.Event{
				Workspace: "default",
				Customer:  fmt.Sprintf("c%05d", n),
				ID:        id,
				Type:      event.Track,
				Name:      "Visit",
				Time:      w.clock,
			}
			return stream.Record{Kind: stream.KindEvent, Data: e.AppendTo(nil)}
		}
		var records []stream.Record
		for n := range customers {
			records = append(records, call(n*2, "first"))
		}
		w.step(t, records[:customers/2]...)
		w.snapshot(t) // these are passivated
		w.step(t, records[customers/2:]...)
		if seed%2 == 0 {
			w.snapshot(t)
			w.recover(t)
		}
		storm := func(id string) stream.Record {
			e := event.Event{Workspace: "default", ID: id, Type: event.Track, Name: "Storm", Time: w.clock}
			return stream.Record{Kind: stream.KindBroadcast, Data: e.AppendTo(nil)}
		}
		w.out.Reset()
		w.step(t, storm("b1"))
		newcomers := 0
		for i := 0; w.shard.HasBulkScan(); i++ {
			w.clock++
			switch r.IntN(5) {
			case 0:
				w.snapshot(t)
			case 1:
				w.snapshot(t)
				w.recover(t)
			case 2:
				w.recover(t)
			}
			if i == 1 {
				w.step(t, storm("b2"))
			}
			n := r.IntN(customers * 2)
			newcomers += n % 2
			w.step(t, call(n, fmt.Sprint("later", i)))
		}
		entered := map[string]int{}
		for line := range strings.Lines(w.out.String()) {
			if fields := strings.Fields(line); fields[1] == "entered" {
				entered[fields[2]]++
			}
		}
		few := 0
		for n := range customers {
			if got := entered[fmt.Sprintf("c%05d", n*2)]; got != 2 {
				t.Fatalf("seed %d: customer %d was reached %d times; want 2", seed, n*2, got)
			}
		}
		for customer, times := range entered {
			if customer[len(customer)-1]%2 == 1 { // new: reached by the second broadcast at most
				few++
				if times != 1 {
					t.Errorf("seed %d: the new %s was reached %d times", seed, customer, times)
				}
			}
		}
		if few > newcomers {
			t.Errorf("seed %d: %d new customers were reached, %d came", seed, few, newcomers)
		}
	}
}

// What a bulk scan and a schedule keep survives; the store lists customers in pages.
func TestToursAreStored(t *testing.T) {
	s := bulkScans{
		Last: 3,
		Queue: []*bulkScan{
			{N: 3, Workspace: "w", Task: active.BulkTask{Kind: active.BulkSchedule, Due: 5}, Cursor: "w\x00a"},
		},
		Schedules: []occurrence{{Workspace: "w", Campaign: "c", Spec: "0 9 * * * UTC", Next: 7}},
	}
	var got bulkScans
	if err := got.load(s.encode()); err != nil || string(got.encode()) != string(s.encode()) {
		t.Errorf("%s, %v", got.encode(), err)
	}
	store, b := storage.NewMemory(), new(storage.Batch)
	for _, id := range []string{"a", "b", "c"} {
		b.Set(storage.CustomerKey(2, "w", id), nil)
	}
	b.Set(storage.CustomerKey(2, "x", "a"), nil)
	if err := store.Commit(b); err != nil {
		t.Fatal(err)
	}
	for after, want := range map[string]string{"": "[a b]", "a": "[b c]", "b": "[c]", "c": "[]"} {
		if ids, err := storage.CustomersAfter(store, 2, "w", after, 2); err != nil || fmt.Sprint(ids) != want {
			t.Errorf("after %q: %v, %v; want %s", after, ids, err, want)
		}
	}
}

// People see the tags, the windows and the dates of a customer.
func TestViewOfTriggers(t *testing.T) {
	c := customer.New("w", "ann", 1000, 1)
	c.Tag("vip")
	c.Windows = []customer.Window{{Event: "E", Width: 60_000, Items: []customer.Occurrence{
		{Time: 60_000, Count: 2}, {Time: 120_000, Count: 3},
	}}}
	c.Dates = []customer.DateWatch{{Campaign: "a", Fired: []int64{2026}}, {Campaign: "b", Due: 5000, Number: 2027}}
	v := view.New(c, nil)
	want := view.Window{Event: "E", Count: 5, From: "1970-01-01T00:01:00Z", Approximate: true}
	if len(v.Windows) != 1 || v.Windows[0] != want || fmt.Sprint(v.Tags) != "[vip]" ||
		fmt.Sprint(v.Armed) != "[{b 1970-01-01T00:00:05Z}]" {
		t.Errorf("unexpected view %+v", v)
	}
}

// A customer who comes while a bulk scan is under way counts in its slices from then on,
// whether or not a snapshot has put them into the store meanwhile.
func TestTurnCountsNewcomers(t *testing.T) {
	w := newScriptWorld(t)
	w.clock = 1000
	come := func(id string) {
		h := w.shard.customers.put(Key("w", id), customer.New("w", id, 1, 1), guessBytes)
		w.shard.bulkScans.exempt(h)
	}
	come("b")
	w.shard.bulkScans.start("w", active.BulkTask{Kind: active.BulkActivation})
	if got := w.shard.bulkScans.nextPage(); len(got) != 1 {
		t.Errorf("unexpected turn %q", got)
	}
	come("c")
	come("a")
	if got := fmt.Sprintf("%q", w.shard.bulkScans.nextPage()); got != `["w\x00a" "w\x00b" "w\x00c"]` {
		t.Errorf("unexpected turn %s", got)
	}
}
