package shard

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/nudge-engine/nudge/actors/shard/backfill"
	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/stream"
)

const fillCampaign = `apiVersion: nudge/v1
kind: Campaign
metadata: {name: third}
spec:
  trigger: {count: {event: Order, where: event.properties.total >= 2, reaches: 3}}
  audience: customer.sum("Order", "total") > 0.0 && customer.count("Visit", "10m") >= 0
  steps: [{id: s, send: {channel: a}}]
`

func (w *scriptWorld) document(t *testing.T, text string, version uint32) program.Document {
	t.Helper()
	docs, err := parse.File(w.lang, "input", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	d := docs[0].Document
	d.Version = version
	return d
}

func (w *scriptWorld) controls(t *testing.T, c control.Record) stream.Record {
	t.Helper()
	w.ctl++
	c.K = w.ctl
	return stream.Record{Kind: stream.KindControl, Data: c.Encode()}
}

// randomFrame has events of few customers, duplicates among them, some of the past.
func randomFrame(r *rand.Rand, now int64) []stream.Record {
	var records []stream.Record
	for range r.IntN(6) {
		e := event.Event{
			Workspace: "default", Customer: fmt.Sprintf("c%d", r.IntN(6)), ID: fmt.Sprintf("m%d", r.IntN(400)),
			Type: event.Track, Name: []string{"Order", "Visit", "Other"}[r.IntN(3)],
			Time:       now - int64(r.IntN(3))*200_000 + int64(r.IntN(2))*1000,
			Properties: fmt.Appendf(nil, `{"total": %d.5}`, r.IntN(4)),
		}
		records = append(records, stream.Record{Kind: stream.KindEvent, Data: e.AppendTo(nil)})
	}
	return records
}

// asksOf are the counters of the campaign, all new.
func (w *scriptWorld) asksOf(t *testing.T, d program.Document) []active.CounterRequest {
	t.Helper()
	before, after, err := BackfillSets(w.compile, []byte("{}"), "default", []program.Document{d})
	if err != nil {
		t.Fatal(err)
	}
	return after.NewAsks(before)
}

// fillUp runs fillers over the log until the backfill is done. Each filler is cut off
// after a random number of records; what it appended stays in the log.
func (w *scriptWorld) fillUp(t *testing.T, r *rand.Rand, first uint64) {
	t.Helper()
	if s := w.shard.BackfillState("default"); s.First == 0 {
		w.step(t, s.Begin("default", first)...)
	}
	for tries := 0; ; tries++ {
		state := w.shard.BackfillState("default")
		if state.Done {
			return
		}
		if state.First != first {
			t.Fatalf("the shard knows %d as the first frame; want %d", state.First, first)
		}
		f := backfill.NewFiller("default", state, nil, 0)
		f.SliceAfter(4)
		left := r.IntN(12 + tries)
		for seq := first; left > 0; seq++ {
			records, done, err := f.Frame(seq, &w.log[seq-1].Frame)
			if err != nil {
				t.Fatal(err)
			}
			for len(records) > 0 && left > 0 {
				n := min(len(records), left, 1+r.IntN(3))
				w.step(t, records[:n]...)
				records, left = records[n:], left-n
				if r.IntN(8) == 0 { // an event comes between
					w.step(t, randomFrame(r, w.clock)...)
				}
			}
			if r.IntN(30) == 0 {
				w.snapshot(t)
			}
			if r.IntN(30) == 0 {
				w.recover(t)
			}
			if done {
				break
			}
		}
	}
}

// Whatever comes when, and wherever filling is cut off: with the history filled in a
// customer has counted what they would have counted from the beginning.
func TestBackfillAgreesWithCounting(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		w := newScriptWorld(t)
		w.clock = instant(t, "2026-03-01T10:00:00Z")
		document := w.document(t, fillCampaign, 1)
		asks := w.asksOf(t, document)
		if len(asks) != 3 {
			t.Fatalf("unexpected asks %v", asks)
		}
		frames := func() {
			for range r.IntN(25) {
				w.clock += int64(r.IntN(60_000))
				w.step(t, randomFrame(r, w.clock)...)
			}
		}
		frames()
		backfill := &control.Backfill{Workspace: "default", Documents: []program.Document{document}, Asks: asks}
		records := append(randomFrame(r, w.clock), w.controls(t, control.Record{Backfill: backfill}))
		w.step(t, append(records, randomFrame(r, w.clock)...)...)
		k := w.ctl
		frames()
		w.fillUp(t, r, 1)
		w.step(t, w.controls(t, control.Record{Apply: &control.Apply{
			Workspace: "default", Documents: []program.Document{document}, Backfilled: k,
		}}))
		frames()

		other := newScriptWorld(t)
		other.step(t, other.controls(t, control.Record{Apply: &control.Apply{
			Workspace: "default", Documents: []program.Document{document},
		}}))
		for _, in := range w.log {
			var events []stream.Record
			for _, record := range in.Frame.Records {
				if record.Kind == stream.KindEvent {
					events = append(events, record)
				}
			}
			other.clock = in.Frame.Time
			other.step(t, events...)
		}
		// One more of each, so that both have forgotten what lies too far back.
		for c := range 6 {
			for _, name := range []string{"Order", "Visit"} {
				e := event.Event{
					Workspace: "default", Customer: fmt.Sprintf("c%d", c), ID: "last" + name, Type: event.Track,
					Name: name, Time: w.clock,
				}
				record := stream.Record{Kind: stream.KindEvent, Data: e.AppendTo(nil)}
				w.step(t, record)
				other.clock = w.clock
				other.step(t, record)
			}
			id := fmt.Sprintf("c%d", c)
			got, _ := w.shard.Customer("default", id)
			want, _ := other.shard.Customer("default", id)
			if !reflect.DeepEqual(got.Counters, want.Counters) || !reflect.DeepEqual(got.Windows, want.Windows) {
				t.Fatalf("seed %d: customer %s has\n%+v %+v\ncounted from the beginning it is\n%+v %+v", seed, id,
					got.Counters, got.Windows, want.Counters, want.Windows)
			}
		}
		if since := w.shard.defs.workspaces["default"].Since["Order"]; since != 1 {
			t.Fatalf("seed %d: orders are known from %d on; want 1", seed, since)
		}
	}
}

// A backfill that is given up leaves nothing behind: a later one counts anew.
func TestBackfillGivenUp(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	w := newScriptWorld(t)
	w.clock = instant(t, "2026-03-01T10:00:00Z")
	document := w.document(t, fillCampaign, 1)
	fill := &control.Backfill{
		Workspace: "default",
		Documents: []program.Document{document},
		Asks:      w.asksOf(t, document),
	}
	for range 20 {
		w.step(t, randomFrame(r, w.clock)...)
	}
	w.step(t, w.controls(t, control.Record{Backfill: fill}))
	state := w.shard.BackfillState("default")
	w.step(t, state.Begin("default", 1)...)
	f := backfill.NewFiller("default", w.shard.BackfillState("default"), nil, 0)
	f.SliceAfter(10)
	for seq := range 10 {
		records, _, err := f.Frame(uint64(seq)+1, &w.log[seq].Frame)
		if err != nil {
			t.Fatal(err)
		}
		w.step(t, records...)
	}
	counters := func() (n int) {
		for c := range 6 {
			if c, _ := w.shard.Customer("default", fmt.Sprintf("c%d", c)); c != nil {
				n += len(c.Counters) + len(c.Windows)
			}
		}
		return n
	}
	if counters() == 0 {
		t.Fatal("half of the fill left nothing; the test says nothing")
	}
	w.step(t, w.controls(t, control.Record{Apply: &control.Apply{Workspace: "default", Backfilled: state.K}}))
	for w.shard.HasBulkScan() {
		w.step(t, stream.Record{Kind: stream.KindTick})
	}
	if n := counters(); n != 0 {
		t.Errorf("%d counters are left", n)
	}
	if s := w.shard.BackfillState("default"); s.K != 0 {
		t.Errorf("backfill %d is under way", s.K)
	}
	if _, _, err := f.Frame(16, &w.log[15].Frame); !errors.Is(err, backfill.ErrTrimmed) {
		t.Errorf("a filler takes frame 16 after 10: %v; want ErrTrimmed", err)
	}
}

// With the history filled in an inactivity campaign knows who has been away for how long:
// instants that are still ahead are armed.
func TestBackfillArmsInactivity(t *testing.T) {
	w := newScriptWorld(t)
	w.clock = instant(t, "2026-03-01T10:00:00Z")
	order := event.Event{
		Workspace: "default", Customer: "ann", ID: "m", Type: event.Track, Name: "Order", Time: w.clock,
	}
	w.step(t, stream.Record{Kind: stream.KindEvent, Data: order.AppendTo(nil)})
	w.clock += 20 * 24 * 3600 * 1000
	document := w.document(t, `apiVersion: nudge/v1
kind: Campaign
metadata: {name: away}
spec:
  trigger: {inactivity: {event: Order, for: 30d}}
  steps: [{id: s, send: {channel: a}}]
`, 1)
	w.step(t, w.controls(t, control.Record{Backfill: &control.Backfill{
		Workspace: "default", Documents: []program.Document{document}, Asks: w.asksOf(t, document),
	}}))
	k := w.ctl
	w.fillUp(t, rand.New(rand.NewPCG(1, 1)), 1)
	w.step(t, w.controls(t, control.Record{Apply: &control.Apply{
		Workspace: "default", Documents: []program.Document{document}, Backfilled: k,
	}}))
	w.step(t, stream.Record{Kind: stream.KindTick})
	if c, _ := w.shard.Customer("default", "ann"); c == nil || c.NextDue() != order.Time+30*24*3600*1000 {
		t.Errorf("unexpected customer %+v; want one who is due 30 days after the order", c)
	}
}
