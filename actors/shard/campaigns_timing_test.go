package shard_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/stream"
)

// BenchmarkCampaigns folds events of one name through a shard with 10 to 10,000 active
// campaigns of that name, of which one in a hundred events matches one:
//
//	go test ./actors -run '^$' -bench BenchmarkCampaigns
//
// ns/op is one record; bytes/campaign the live heap that a campaign takes in one shard,
// compiled program and all; apply-ms how long the control records took.
func BenchmarkCampaigns(b *testing.B) {
	for _, kind := range []struct {
		name string
		spec func(i, n int) string
	}{
		{"equal", func(i, _ int) string {
			return fmt.Sprintf(`trigger: {event: {name: Order, where: 'event.properties.sku == "s%d" && `+
				`event.properties.score < 1'}}`, i)
		}},
		{"range", func(i, n int) string {
			return fmt.Sprintf(`trigger: {event: {name: Order, where: 'event.properties.place >= %d && `+
				`event.properties.place < %d'}}`, i*10_000/n, (i+1)*10_000/n)
		}},
		{"trait", func(i, _ int) string {
			return fmt.Sprintf(`trigger: {event: {name: Order, where: 'customer.traits.city == "c%d"'}}`, i)
		}},
		{"count", func(i, _ int) string {
			return fmt.Sprintf(`trigger: {count: {event: Order, reaches: %d}}`, 1_000_000+i)
		}},
		{"threshold", func(i, _ int) string {
			return fmt.Sprintf(`trigger: {threshold: {value: 'customer.sum("Order", "score")', crosses: up, at: %d}}`,
				1_000_000_000+i)
		}},
		{"segment", func(i, _ int) string {
			return fmt.Sprintf(`trigger: {segment: {when: 'customer.traits.city == "c%d" && customer.count("Order") > 3'}}`, i)
		}},
	} {
		for _, n := range []int{10, 100, 1000, 10_000} {
			b.Run(fmt.Sprintf("%s/%d", kind.name, n), func(b *testing.B) {
				_, alone, _ := crowdedShard(b, 1, kind.spec)
				shard, weight, applied := crowdedShard(b, n, kind.spec)
				b.ResetTimer()
				for done := 0; done < b.N; done += 1000 {
					b.StopTimer()
					frame := orders(shard, 1000)
					b.StartTimer()
					step(b, shard, frame)
				}
				b.ReportMetric(float64(weight-alone)/float64(n-1), "bytes/campaign")
				b.ReportMetric(float64(applied.Milliseconds()), "apply-ms")
			})
		}
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// benchLanguage is compiled once.
var benchLanguage = sync.OnceValues(expr.NewLanguage)

// crowdedShard has n campaigns in force, whose indexes a first frame has built. weight is
// the live heap that it takes, applied how long the control records took.
func crowdedShard(b *testing.B, n int, spec func(i, n int) string) (s *shard.Shard, weight uint64,
	applied time.Duration,
) {
	b.Helper()
	before := heap()
	lang, err := benchLanguage()
	if err != nil {
		b.Fatal(err)
	}
	parsed := map[string]program.Definition{}
	s = shard.New(shard.Config{Compile: func(workspace string, d *program.Document) (program.Definition, error) {
		p, known := parsed[d.Name]
		if !known {
			if p, err = parse.Document(lang, workspace, d); err != nil {
				return p, err
			}
			parsed[d.Name] = p
		}
		return p, nil
	}})
	in := shard.Input{At: shard.Position{Seq: 1}, Frame: stream.Frame{Time: benchStart}}
	k := uint64(0)
	add := func(c control.Record) {
		k++
		c.K = k
		in.Frame.Records = append(in.Frame.Records, stream.Record{Kind: stream.KindControl, Data: c.Encode()})
	}
	add(control.Record{Genesis: &control.Genesis{LogID: "bench", Partitions: 1, DedupeIDs: 1 << 16}})
	for from := 0; from < n; from += 200 { // as many as go into a control record
		apply := &control.Apply{Workspace: "w"}
		for i := from; i < min(from+200, n); i++ {
			name := fmt.Sprintf("c%05d", i)
			apply.Documents = append(apply.Documents, program.Document{
				Kind: program.KindCampaign, Name: name, Version: 1,
				Source: fmt.Sprintf("apiVersion: nudge/v1\nkind: Campaign\nmetadata: {name: %s}\nspec:\n  %s\n"+
					"  steps: [{id: tell, send: {channel: console, inline: {body: hello}}}]\n", name, spec(i, n)),
			})
		}
		add(control.Record{Apply: apply})
	}
	began := time.Now()
	step(b, s, &in)
	applied = time.Since(began)
	if s.Control() != k {
		b.Fatalf("control record %d; want %d", s.Control(), k)
	}
	step(b, s, orders(s, 1000))
	weight = heap() - before
	runtime.KeepAlive(parsed)
	return s, weight, applied
}

const benchStart = 1_800_000_000_000

// orders is the next frame, of n events of 1,000 customers.
func orders(s *shard.Shard, n int) *shard.Input {
	seq := s.Applied().Seq + 1
	r := rand.New(rand.NewPCG(seq, 1))
	var f stream.Builder
	for i := range n {
		e := event.Event{
			Workspace: "w", Customer: fmt.Sprintf("customer-%d", r.IntN(1000)), ID: fmt.Sprintf("%d-%d", seq, i),
			Type: event.Track, Name: "Order", Time: benchStart,
			Properties: fmt.Appendf(nil, `{"sku":"s%d","score":%d,"place":%d.5,"currency":"EUR","product":"p%d"}`,
				r.IntN(10_000), r.IntN(100), r.IntN(1_000_000), r.IntN(5000)),
		}
		if i%100 == 0 {
			e.Type, e.Name, e.Traits, e.Properties = event.Identify, "$identify", []byte(`{"city":"Kyiv"}`), nil
		}
		f.Add(stream.KindEvent, e.AppendTo(nil))
	}
	frame, err := stream.DecodeFrame(f.Seal(benchStart))
	if err != nil {
		panic(err)
	}
	return &shard.Input{At: shard.Position{Seq: seq}, Frame: frame}
}

func step(b *testing.B, shard *shard.Shard, in *shard.Input) {
	b.Helper()
	var out effect.Effects
	if done, err := shard.Step(in, &out); err != nil || !done || len(out.DeadLetters) > 0 {
		b.Fatalf("step: %v, %v, %+v", done, err, out.DeadLetters)
	}
	shard.Encode(&out, func(uint64, []byte) {})
}
