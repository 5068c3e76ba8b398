package shard

import (
	"fmt"
	"testing"

	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/stream"
)

const timedCampaign = `apiVersion: nudge/v1
kind: Campaign
metadata: {name: waiting}
spec:
  trigger: {event: {name: Cart Updated, where: event.properties.value >= 20}}
  steps:
    - {id: pause, delay: 24h}
    - {id: remind, send: {channel: console, inline: {body: "Your cart waits."}}}
`

const timedStart = 1_800_000_000_000

// timedShard has customers with one chain and one timer each.
func timedShard(tb testing.TB, customers int) *Shard {
	tb.Helper()
	lang, err := expr.NewLanguage()
	if err != nil {
		tb.Fatal(err)
	}
	docs, err := parse.File(lang, "f.yaml", []byte(timedCampaign))
	if err != nil {
		tb.Fatal(err)
	}
	docs[0].Document.Version = 1
	s := New(Config{Unguarded: true, Compile: func(workspace string, d *program.Document) (program.Definition, error) {
		return parse.Document(lang, workspace, d)
	}})
	c := control.Record{
		K:     1,
		Apply: &control.Apply{Workspace: "default", Documents: []program.Document{docs[0].Document}},
	}
	records := []stream.Record{{Kind: stream.KindControl, Data: c.Encode()}}
	for i := range customers {
		records = append(records, timedEvent("Cart Updated", i, i))
	}
	timedStep(tb, s, records)
	return s
}

func timedEvent(name string, customer, n int) stream.Record {
	e := event.Event{
		Workspace: "default", Customer: fmt.Sprintf("customer-%d", customer), ID: fmt.Sprintf("%s-%d", name, n),
		Type: event.Track, Name: name, Time: timedStart, Properties: []byte(`{"cart_id":"c1","value":42}`),
	}
	return stream.Record{Kind: stream.KindEvent, Data: e.AppendTo(nil)}
}

func timedStep(tb testing.TB, s *Shard, records []stream.Record) {
	tb.Helper()
	var out effect.Effects
	in := Input{At: Position{Seq: s.applied.Seq + 1}, Frame: stream.Frame{Time: timedStart, Records: records}}
	if done, err := s.Step(&in, &out); !done || err != nil || len(out.DeadLetters) > 0 {
		tb.Fatalf("unexpected %v, error %v, dead letters %+v", done, err, out.DeadLetters)
	}
	s.Encode(&out, func(uint64, []byte) {})
}

// viewedFrame is a frame of 100 events of customers who have a chain; n counts the events so far.
func viewedFrame(n *int, customers int) []stream.Record {
	records := make([]stream.Record, 100)
	for i := range records {
		records[i] = timedEvent("Product Viewed", *n*7919%customers, *n)
		*n++
	}
	return records
}

// An event that starts and moves nothing allocates what the decoded event and its row need, and
// nothing in the machine.
func TestStepAllocations(t *testing.T) {
	const customers, runs, most = 1_000, 10, 310
	s, n := timedShard(t, customers), 0
	var frames [][]stream.Record
	for range runs + 1 { // AllocsPerRun runs once before it counts
		frames = append(frames, viewedFrame(&n, customers))
	}
	allocs := testing.AllocsPerRun(runs, func() {
		timedStep(t, s, frames[0])
		frames = frames[1:]
	})
	if allocs > most {
		t.Errorf("a frame of 100 events took %v allocations; want at most %d", allocs, most)
	}
}

// BenchmarkStep applies a frame of 100 events of customers who have a chain; one of a
// hundred does not start another.
func BenchmarkStep(b *testing.B) {
	const customers = 10_000
	s := timedShard(b, customers)
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		records := viewedFrame(&n, customers)
		b.StartTimer()
		timedStep(b, s, records)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/event")
}

// BenchmarkSnapshot gathers a thousand changed customers of ten thousand.
func BenchmarkSnapshot(b *testing.B) {
	s := timedShard(b, 10_000)
	s.Snapshot()
	s.Saved()
	n := 0
	for b.Loop() {
		b.StopTimer()
		records := make([]stream.Record, 1000)
		for i := range records {
			records[i] = timedEvent("Product Viewed", n%10_000, n)
			n++
		}
		timedStep(b, s, records)
		b.StartTimer()
		if batch := s.Snapshot(); batch.Bytes() == 0 {
			b.Fatal("an empty snapshot")
		}
		s.Saved()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(max(1, n)), "ns/customer")
}

// BenchmarkSleepAndWake lets customers fall asleep and wakes them.
func BenchmarkSleepAndWake(b *testing.B) {
	const customers = 1000
	s := timedShard(b, customers)
	for range 2 {
		s.Snapshot()
		s.Saved()
		s.Passivate(customers)
	}
	b.ReportAllocs()
	for b.Loop() {
		for i := range customers {
			if s.customers.find("default", fmt.Sprintf("customer-%d", i)) == nil {
				b.Fatal("a customer is lost")
			}
		}
		for range 2 {
			s.customers.round = customers
			s.Passivate(customers)
		}
		if len(s.customers.passivated) != customers {
			b.Fatalf("%d customers sleep; want %d", len(s.customers.passivated), customers)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*customers), "ns/customer")
}
