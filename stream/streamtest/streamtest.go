// Package streamtest is the conformance suite of stream.Log: every
// implementation runs it.
package streamtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/stream"
)

const limit = 30 * time.Second

// Run runs the suite. open returns a log over the same data at each call of one
// subtest, so that it can be closed and opened again; keeps says whether data
// outlives Close.
func Run(t *testing.T, keeps bool, open func(t *testing.T) stream.Log) {
	t.Helper()
	t.Run("append gives contiguous sequences", func(t *testing.T) { appends(t, open(t)) })
	t.Run("conditional append", func(t *testing.T) { conditional(t, open(t)) })
	t.Run("pipelined conditional appends keep order", func(t *testing.T) { pipelined(t, open(t)) })
	t.Run("read from a position and on", func(t *testing.T) { reads(t, open(t)) })
	t.Run("get, last, not found", func(t *testing.T) { gets(t, open(t)) })
	t.Run("trim", func(t *testing.T) { trims(t, open(t)) })
	t.Run("subjects", func(t *testing.T) { subjects(t, open(t)) })
	t.Run("full stream refuses and keeps", func(t *testing.T) { full(t, open(t)) })
	t.Run("lease has one holder", func(t *testing.T) { lease(t, open(t)) })
	if keeps {
		t.Run("data outlives close", func(t *testing.T) { survives(t, open) })
	}
}

func stop(t *testing.T, l stream.Log) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

func openStream(t *testing.T, l stream.Log, o stream.Options) stream.Stream {
	t.Helper()
	if o.MaxBytes == 0 {
		o.MaxBytes = 1 << 20
	}
	s, err := l.Open(t.Context(), "EV_0", o)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return s
}

func put(t *testing.T, s stream.Stream, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if _, err := stream.AppendWait(t.Context(), s, stream.Append{Data: []byte(text)}); err != nil {
			t.Fatalf("append %q: %v", text, err)
		}
	}
}

func appends(t *testing.T, l stream.Log) {
	t.Helper()
	defer stop(t, l)
	s := openStream(t, l, stream.Options{})
	for want := uint64(1); want <= 5; want++ {
		seq, err := stream.AppendWait(t.Context(), s, stream.Append{Data: []byte("x")})
		if err != nil || seq != want {
			t.Fatalf("unexpected sequence %d, error %v; want %d", seq, err, want)
		}
	}
	i, err := s.Info(t.Context())
	if err != nil || i.First != 1 || i.Last != 5 || i.Created.IsZero() {
		t.Errorf("unexpected info %+v, error %v; want 1..5", i, err)
	}
}

func conditional(t *testing.T, l stream.Log) {
	t.Helper()
	defer stop(t, l)
	s := openStream(t, l, stream.Options{})
	at := func(after uint64) error {
		_, err := stream.AppendWait(t.Context(), s, stream.Append{Data: []byte("x"), Conditional: true, After: after})
		return err
	}
	if err := at(0); err != nil {
		t.Fatalf("after 0 on an empty stream: %v", err)
	}
	if err := at(0); !errors.Is(err, stream.ErrWrongLast) {
		t.Errorf("after 0 again: unexpected error %v; want ErrWrongLast", err)
	}
	if err := at(2); !errors.Is(err, stream.ErrWrongLast) {
		t.Errorf("after 2: unexpected error %v; want ErrWrongLast", err)
	}
	if err := at(1); err != nil {
		t.Errorf("after 1: %v", err)
	}
}

func pipelined(t *testing.T, l stream.Log) {
	t.Helper()
	defer stop(t, l)
	s := openStream(t, l, stream.Options{})
	const n = 200
	ends := make(chan error, n)
	for i := range uint64(n) {
		s.Append(stream.Append{Data: fmt.Append(nil, i), Conditional: true, After: i}, func(seq uint64, err error) {
			if err == nil && seq != i+1 {
				err = fmt.Errorf("sequence %d; want %d", seq, i+1)
			}
			ends <- err
		})
	}
	for range n {
		if err := <-ends; err != nil {
			t.Fatal(err)
		}
	}
}

func reads(t *testing.T, l stream.Log) {
	t.Helper()
	defer stop(t, l)
	s := openStream(t, l, stream.Options{})
	put(t, s, "a", "b", "c")
	r, err := s.Read(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	next := func(seq uint64, text string) {
		t.Helper()
		m, err := r.Next(ctx)
		if err != nil || m.Seq != seq || string(m.Data) != text || m.Time.IsZero() {
			t.Fatalf("unexpected message %d %q, error %v; want %d %q", m.Seq, m.Data, err, seq, text)
		}
	}
	next(2, "b")
	next(3, "c")
	put(t, s, "d")
	next(4, "d")
	r.Close()
	if _, err := r.Next(ctx); !errors.Is(err, stream.ErrClosed) {
		t.Errorf("after close: unexpected error %v; want ErrClosed", err)
	}
}

func gets(t *testing.T, l stream.Log) {
	t.Helper()
	defer stop(t, l)
	s := openStream(t, l, stream.Options{})
	if _, err := s.Last(t.Context(), ""); !errors.Is(err, stream.ErrNotFound) {
		t.Errorf("last of an empty stream: unexpected error %v; want ErrNotFound", err)
	}
	put(t, s, "a", "b")
	m, err := s.Get(t.Context(), 1)
	if err != nil || m.Seq != 1 || !bytes.Equal(m.Data, []byte("a")) {
		t.Errorf("unexpected message %+v, error %v", m, err)
	}
	if m, err = s.Last(t.Context(), ""); err != nil || m.Seq != 2 {
		t.Errorf("unexpected last %+v, error %v", m, err)
	}
	if _, err := s.Get(t.Context(), 3); !errors.Is(err, stream.ErrNotFound) {
		t.Errorf("get 3: unexpected error %v; want ErrNotFound", err)
	}
}

func trims(t *testing.T, l stream.Log) {
	t.Helper()
	defer stop(t, l)
	s := openStream(t, l, stream.Options{})
	put(t, s, "a", "b", "c")
	if err := s.Trim(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	if i, err := s.Info(t.Context()); err != nil || i.First != 3 || i.Last != 3 {
		t.Errorf("unexpected info %+v, error %v; want 3..3", i, err)
	}
	if _, err := s.Get(t.Context(), 2); !errors.Is(err, stream.ErrNotFound) {
		t.Errorf("get 2: unexpected error %v; want ErrNotFound", err)
	}
	put(t, s, "d")
	if m, err := s.Last(t.Context(), ""); err != nil || m.Seq != 4 {
		t.Errorf("unexpected last %+v, error %v; want sequence 4", m, err)
	}
	if err := s.Trim(t.Context(), 10); err != nil {
		t.Fatal(err)
	}
	if i, err := s.Info(t.Context()); err != nil || i.First != 11 || i.Last != 10 {
		t.Errorf("trimmed beyond its end: unexpected info %+v, error %v; want 11..10", i, err)
	}
	put(t, s, "e")
	if m, err := s.Get(t.Context(), 11); err != nil || string(m.Data) != "e" {
		t.Errorf("unexpected message %+v, error %v; want e at 11", m, err)
	}
}

func subjects(t *testing.T, l stream.Log) {
	t.Helper()
	defer stop(t, l)
	s := openStream(t, l, stream.Options{Subjects: []string{"0", "1"}})
	for i, subject := range []string{"0", "1", "0"} {
		a := stream.Append{Data: []byte{byte(i)}, Subject: subject}
		if _, err := stream.AppendWait(t.Context(), s, a); err != nil {
			t.Fatal(err)
		}
	}
	m, err := s.Last(t.Context(), "1")
	if err != nil || m.Seq != 2 || m.Subject != "1" {
		t.Errorf("unexpected last of subject 1: %+v, error %v", m, err)
	}
	if m, err = s.Last(t.Context(), ""); err != nil || m.Seq != 3 || m.Subject != "0" {
		t.Errorf("unexpected last: %+v, error %v", m, err)
	}
	if _, err = s.Last(t.Context(), "2"); !errors.Is(err, stream.ErrNotFound) {
		t.Errorf("last of an empty subject: unexpected error %v; want ErrNotFound", err)
	}
}

func full(t *testing.T, l stream.Log) {
	t.Helper()
	defer stop(t, l)
	s := openStream(t, l, stream.Options{MaxBytes: 8 << 10})
	kept := uint64(0)
	for {
		_, err := stream.AppendWait(t.Context(), s, stream.Append{Data: make([]byte, 1000)})
		if err != nil {
			if !errors.Is(err, stream.ErrFull) {
				t.Fatalf("unexpected error %v; want ErrFull", err)
			}
			break
		}
		if kept++; kept > 100 {
			t.Fatal("100 kB fit into 8 KiB")
		}
	}
	if i, err := s.Info(t.Context()); err != nil || i.First != 1 || i.Last != kept {
		t.Errorf("unexpected info %+v, error %v; want 1..%d", i, err, kept)
	}
	if err := s.Trim(t.Context(), kept-1); err != nil {
		t.Fatal(err)
	}
	put(t, s, "after the trim there is room")
}

func lease(t *testing.T, l stream.Log) {
	t.Helper()
	defer stop(t, l)
	first, err := l.Lease(t.Context(), "owner", "a")
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan stream.Lease, 1)
	failed := make(chan error, 1)
	go func() {
		second, err := l.Lease(t.Context(), "owner", "b")
		failed <- err
		got <- second
	}()
	select {
	case <-got:
		t.Fatal("two holders of one lease")
	case <-first.Lost():
		t.Fatal("lease lost while held")
	case <-time.After(200 * time.Millisecond):
	}
	first.Release()
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	second := <-got
	if second.Epoch() <= first.Epoch() {
		t.Errorf("epoch %d follows %d; want it to grow", second.Epoch(), first.Epoch())
	}
	second.Release()
	<-second.Lost()
}

func survives(t *testing.T, open func(t *testing.T) stream.Log) {
	t.Helper()
	l := open(t)
	put(t, openStream(t, l, stream.Options{}), "a", "b")
	stop(t, l)
	l = open(t)
	defer stop(t, l)
	s := openStream(t, l, stream.Options{})
	if m, err := s.Get(t.Context(), 2); err != nil || string(m.Data) != "b" {
		t.Errorf("unexpected message %q, error %v; want b", m.Data, err)
	}
	put(t, s, "c")
	if i, err := s.Info(t.Context()); err != nil || i.Last != 3 {
		t.Errorf("unexpected info %+v, error %v; want last 3", i, err)
	}
}
