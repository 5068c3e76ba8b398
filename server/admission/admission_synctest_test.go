package admission_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nudge-engine/nudge/ingest"
	"github.com/nudge-engine/nudge/server/admission"
	"github.com/nudge-engine/nudge/stream"
)

// failure is what a part answers; safe for concurrent use.
type failure struct{ p atomic.Pointer[error] }

func (f *failure) set(err error) { f.p.Store(&err) }

func (f *failure) get() error {
	if p := f.p.Load(); p != nil {
		return *p
	}
	return nil
}

// A partition is closed while something keeps it from taking events, and opens again.
func TestAdmit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		log := stream.NewMemory(time.Now)
		var events, effects []stream.Stream
		for _, name := range []string{"0", "1"} {
			for kind, all := range map[string]*[]stream.Stream{"EV_": &events, "FX_": &effects} {
				s, err := log.Open(ctx, kind+name, stream.Options{MaxBytes: 1000})
				if err != nil {
					t.Fatal(err)
				}
				*all = append(*all, s)
			}
		}
		var halted, sick failure // read by the guard's goroutine
		var dead atomic.Int64
		guard := admission.New(admission.Config{
			Events: events, Effects: effects, DataDir: t.TempDir(), MinFree: 1, Logger: slog.New(slog.DiscardHandler),
			Halted:  func(int) error { return halted.get() },
			Healthy: func(context.Context) error { return sick.get() },
			Dead:    func(error) { dead.Add(1) },
		})
		go guard.Run(ctx)
		look := func(rounds int) {
			for range rounds {
				time.Sleep(250 * time.Millisecond)
				synctest.Wait()
			}
		}
		check := func(p int, want error) {
			t.Helper()
			if err := guard.Admit(p); !errors.Is(err, want) {
				t.Errorf("partition %d: got %v; want %v", p, err, want)
			}
		}
		look(1)
		check(0, nil)
		for _, full := range [][]stream.Stream{events, effects} {
			if _, err := stream.AppendWait(ctx, full[1], stream.Append{Data: make([]byte, 801)}); err != nil {
				t.Fatal(err)
			}
			look(1)
			check(0, nil)
			check(1, stream.ErrFull)
			if err := full[1].Trim(ctx, 1); err != nil {
				t.Fatal(err)
			}
			look(1)
			check(1, nil)
		}
		stopped, ill := errors.New("halted"), errors.New("sick")
		halted.set(stopped)
		check(0, stopped)
		halted.set(nil)
		sick.set(ill)
		look(1)
		check(0, nil) // a stream that is being made
		look(1)
		check(0, ill)
		if dead.Load() != 0 {
			t.Errorf("dead after two looks")
		}
		look(1)
		if n := dead.Load(); n != 1 {
			t.Errorf("dead is called %d times after three looks; want once", n)
		}
		sick.set(nil)
		look(1)
		check(0, nil)
	})
}

func TestAdmitWithoutDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s, err := stream.NewMemory(time.Now).Open(ctx, "EV_0", stream.Options{MaxBytes: 1000})
		if err != nil {
			t.Fatal(err)
		}
		guard := admission.New(admission.Config{
			Events: []stream.Stream{s}, Effects: []stream.Stream{s}, DataDir: t.TempDir(), MinFree: 1 << 62,
			Logger: slog.New(slog.DiscardHandler),
			Halted: func(int) error { return nil }, Healthy: func(context.Context) error { return nil },
		})
		go guard.Run(ctx)
		synctest.Wait()
		if err := guard.Admit(0); !errors.Is(err, ingest.ErrDisk) {
			t.Errorf("got %v; want %v", err, ingest.ErrDisk)
		}
	})
}
