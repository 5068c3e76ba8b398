package dispatch

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/storage"
	"github.com/nudge-engine/nudge/stream"
)

// fullNow is a stream that is full now and then; some of what it refuses is stored all
// the same.
type fullNow struct {
	stream.Stream
	mu  sync.Mutex
	rng *rand.Rand
}

func (s *fullNow) Append(pre stream.Append, done func(uint64, error)) {
	s.mu.Lock()
	chance := s.rng.IntN(10)
	s.mu.Unlock()
	switch {
	case chance < 2:
		done(0, stream.ErrFull)
	case chance < 3:
		s.Stream.Append(pre, func(uint64, error) { done(0, stream.ErrFull) })
	default:
		s.Stream.Append(pre, done)
	}
}

// The transfers of a source arrive in their order, whatever fails: a number may come
// again, but never before the one in front of it.
func TestCarryKeepsTheOrder(t *testing.T) {
	f := newFixture(t)
	log := &fullNow{Stream: f.events, rng: rand.New(rand.NewPCG(1, 2))}
	publisher := stream.NewPublisher([]stream.Stream{log}, func() (int64, error) { return 1, nil },
		slog.New(slog.DiscardHandler))
	defer publisher.Close(t.Context())
	d, err := New(Config{
		Log: f.log, Effects: []stream.Stream{f.effects}, Store: storage.NewMemory(), Publisher: publisher,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	e := &effect.Effects{Seq: 1}
	const sources, each = 3, 8
	for n := range sources * each {
		e.Transfers = append(e.Transfers, event.Transfer{
			Workspace: "w", Customer: "ann", Source: fmt.Sprintf("anon:%d", n%sources), N: uint64(n/sources + 1),
			Kind: event.TransferResult,
		})
	}
	new(effect.Encoder).Encode(e, 1, func(n uint64, data []byte) {
		if err := d.copyMessages(t.Context(), 0, []stream.Message{{Seq: n, Data: data}}); err != nil {
			t.Fatal(err)
		}
	})
	info, err := f.events.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	last, again := map[string]uint64{}, 0
	for seq := uint64(1); seq <= info.Last; seq++ {
		m, err := f.events.Get(t.Context(), seq)
		if err != nil {
			t.Fatal(err)
		}
		frame, err := stream.DecodeFrame(m.Data)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range frame.Records {
			tr, err := event.DecodeTransfer(r.Data)
			if err != nil || r.Kind != stream.KindTransfer || tr.N > last[tr.Source]+1 {
				t.Fatalf("unexpected record %+v after %v, error %v", tr, last, err)
			}
			if tr.N <= last[tr.Source] {
				again++
			}
			last[tr.Source] = max(last[tr.Source], tr.N)
		}
	}
	for n := range sources {
		if got := last[fmt.Sprintf("anon:%d", n)]; got != each {
			t.Errorf("source %d came to %d; want %d", n, got, each)
		}
	}
	if again == 0 {
		t.Error("nothing was forwarded twice: the test did not try what it should")
	}
}
