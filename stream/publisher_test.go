package stream_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/stream"
)

func now() (int64, error) { return 1000, nil }

func memoryStream(t *testing.T) stream.Stream {
	t.Helper()
	s, err := stream.NewMemory(time.Now).Open(t.Context(), "EV_0", stream.Options{MaxBytes: 64 << 20})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Every record of every caller is in the log once, and a caller is answered only
// then.
func TestPublisherKeepsEveryRecord(t *testing.T) {
	s := memoryStream(t)
	p := stream.NewPublisher([]stream.Stream{s}, now, slog.New(slog.DiscardHandler))
	var callers, answers sync.WaitGroup
	for c := range 20 {
		callers.Go(func() {
			for i := range 50 {
				var records []stream.Record
				for r := range 3 {
					data := fmt.Appendf(make([]byte, 0, 20_000), "%d/%d/%d", c, i, r)
					records = append(records, stream.Record{Kind: stream.KindEvent, Data: data[:cap(data)]})
				}
				answers.Add(1)
				for errors.Is(p.Add(0, records, func(err error) {
					if err != nil {
						t.Error(err)
					}
					answers.Done()
				}), stream.ErrBusy) {
				}
			}
		})
	}
	callers.Wait()
	answers.Wait()
	p.Close(context.Background())
	seen := map[string]int{}
	info, err := s.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for seq := uint64(1); seq <= info.Last; seq++ {
		m, err := s.Get(t.Context(), seq)
		if err != nil {
			t.Fatal(err)
		}
		f, err := stream.DecodeFrame(m.Data)
		if err != nil || len(m.Data) > stream.MaxFrame {
			t.Fatalf("frame %d of %d bytes: %v", seq, len(m.Data), err)
		}
		for _, r := range f.Records {
			seen[string(r.Data)]++
		}
	}
	if len(seen) != 20*50*3 {
		t.Errorf("unexpected %d distinct records; want %d", len(seen), 20*50*3)
	}
	if err := p.Add(0, []stream.Record{{}}, func(error) {}); !errors.Is(err, stream.ErrClosed) {
		t.Errorf("after close: unexpected error %v; want ErrClosed", err)
	}
}

// flaky fails the first appends, after storing every second of them.
type flaky struct {
	stream.Stream
	calls atomic.Int32
}

func (f *flaky) Append(a stream.Append, done func(uint64, error)) {
	n := f.calls.Add(1)
	if n > 4 {
		f.Stream.Append(a, done)
		return
	}
	if n%2 == 0 {
		f.Stream.Append(a, func(uint64, error) {})
	}
	done(0, errors.New("timeout"))
}

func TestPublisherRetriesTheSameFrame(t *testing.T) {
	s := &flaky{Stream: memoryStream(t)}
	p := stream.NewPublisher([]stream.Stream{s}, now, slog.New(slog.DiscardHandler))
	ended := make(chan error, 1)
	if err := p.Add(
		0,
		[]stream.Record{{Kind: stream.KindEvent, Data: []byte("x")}},
		func(err error) { ended <- err },
	); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if info, err := s.Info(t.Context()); err != nil || info.Last != 3 {
		t.Errorf("unexpected info %+v, error %v; want the frame thrice", info, err)
	}
}

func TestPublisherStopsWhenTheClockJumped(t *testing.T) {
	p := stream.NewPublisher([]stream.Stream{memoryStream(t)}, func() (int64, error) { return 0, stream.ErrClock },
		slog.New(slog.DiscardHandler))
	ended := make(chan error, 1)
	if err := p.Add(0, []stream.Record{{Kind: stream.KindEvent}}, func(err error) { ended <- err }); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, stream.ErrClock) {
		t.Errorf("unexpected error %v; want ErrClock", err)
	}
}
