package warehouse

import (
	"fmt"
	"testing"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/stream"
)

// BenchmarkBlock makes the columns of a frame of 1,000 events.
func BenchmarkBlock(b *testing.B) {
	var builder stream.Builder
	for i := range 1000 {
		e := event.Event{
			Workspace: "default", Customer: fmt.Sprintf("customer-%d", i), ID: fmt.Sprintf("bench-0-%d", i),
			Type: event.Track, Name: "Product Viewed", Time: 1_800_000_000_000,
			Properties: []byte(`{"score":150,"value":12.95,"currency":"EUR","category":"kitchen"}`),
			Context:    []byte(`{"ip":"198.51.100.7","library":{"name":"analytics.js","version":"2.1.0"}}`),
		}
		builder.Add(stream.KindEvent, e.AppendTo(nil))
	}
	f, err := stream.DecodeFrame(builder.Seal(1_800_000_000_000))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		r := newRows(1, 1125)
		if err := r.frame(0, 1, &f, nil); err != nil {
			b.Fatal(err)
		}
		if tables := r.tables(); len(tables) != 1 || tables[0].Rows != 1000 {
			b.Fatalf("unexpected %+v", tables)
		}
	}
}
