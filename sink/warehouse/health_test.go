package warehouse_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/sink/warehouse"
	"github.com/nudge-engine/nudge/stream"
)

// slowStart is a warehouse that refuses everything until it is told to answer.
type slowStart struct {
	*warehouse.Memory
	away atomic.Bool
}

func (s *slowStart) Migrate(ctx context.Context) error {
	if s.away.Load() {
		return warehouse.ErrUnavailable
	}
	return s.Memory.Migrate(ctx)
}

// A writer says whether the warehouse ever answered, and whether it fails now.
func TestWriterKnowsWhetherTheWarehouseAnswers(t *testing.T) {
	m := &slowStart{Memory: warehouse.NewMemory()}
	m.away.Store(true)
	m.Fail = m.away.Load
	state, err := stream.NewMemory(time.Now).Open(t.Context(), "WH", stream.Options{MaxBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	var acked atomic.Uint64
	src := source(t, 20)
	src.Acked = acked.Load
	w, err := warehouse.NewWriter(warehouse.WriterConfig{
		Warehouse: m, Sources: []warehouse.Source{src}, State: state, LogID: "log", Linger: time.Millisecond,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	if w.Answered() || w.Failing() != nil {
		t.Errorf("before the start: answered %v, failing %v; want neither", w.Answered(), w.Failing())
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { w.Run(ctx); close(done) }()
	defer func() { cancel(); <-done }()
	until := func(what string, holds func() bool) {
		t.Helper()
		deadline, tick := time.After(20*time.Second), time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for !holds() {
			select {
			case <-tick.C:
			case <-deadline:
				t.Fatalf("not in 20 s: %s; answered %v, failing %v", what, w.Answered(), w.Failing())
			}
		}
	}
	away := func() bool { return errors.Is(w.Failing(), warehouse.ErrUnavailable) }
	until("it fails from the start", away)
	if w.Answered() {
		t.Error("it has answered although it was away all the time")
	}
	m.away.Store(false)
	until("it answers", func() bool { return w.Answered() && w.Failing() == nil })
	m.away.Store(true)
	acked.Store(20)
	until("a block fails", away)
	if !w.Answered() {
		t.Error("that it answered once is forgotten")
	}
	m.away.Store(false)
	until("the block is there", func() bool { return w.Position(0) == 20 && w.Failing() == nil })
}
