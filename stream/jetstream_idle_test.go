package stream

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

// Readers that nobody called for longer than their queue has room for heartbeats give the
// next message at once, the same as those that wait for it all the time.
func TestIdleReader(t *testing.T) {
	t.Parallel()
	l, err := OpenEmbedded(EmbeddedConfig{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	// The shortest heartbeat there is: the queue of 16 is full after eight seconds.
	l.times = readerTimes{heartbeat: 500 * time.Millisecond, expiry: time.Minute, idle: 200 * time.Millisecond}
	s, err := l.Open(t.Context(), "IDLE", Options{MaxBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	dropped := make(chan error, 1)
	l.links["IDLE"].conn.SetErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
		select {
		case dropped <- err:
		default:
		}
	})
	appendOne(t, s, "first")
	idle, waiting := openReader(t, s), openReader(t, s)
	next(t, idle, "first")
	next(t, waiting, "first")

	type answer struct {
		m   Message
		err error
	}
	came := make(chan answer, 1)
	go func() {
		m, err := waiting.Next(t.Context())
		came <- answer{m, err}
	}()
	full := time.NewTimer((readAhead + 4) * l.times.heartbeat)
	select {
	case err := <-dropped:
		t.Errorf("the library dropped what an idle reader got: %v", err)
	case <-full.C:
	}
	for i := range 2 * readAhead {
		appendOne(t, s, fmt.Sprint("later ", i))
	}
	if a := <-came; a.err != nil || string(a.m.Data) != "later 0" {
		t.Errorf("the reader that waited got %q, error %v", a.m.Data, a.err)
	}
	for i := range 2 * readAhead {
		next(t, idle, fmt.Sprint("later ", i))
	}
}

func openReader(t *testing.T, s Stream) Reader {
	t.Helper()
	r, err := s.Read(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func appendOne(t *testing.T, s Stream, text string) {
	t.Helper()
	done := make(chan error, 1)
	s.Append(Append{Data: []byte(text)}, func(_ uint64, err error) { done <- err })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// next wants a message before any period of the library is over.
func next(t *testing.T, r Reader, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	m, err := r.Next(ctx)
	if err != nil || string(m.Data) != text {
		t.Fatalf("the reader gives %q, error %v; want %q", m.Data, err, text)
	}
}
