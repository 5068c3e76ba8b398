package retention_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nudge-engine/nudge/server/retention"
	"github.com/nudge-engine/nudge/stream"
)

// What goes depends on age while there is space, then on what the rows need, then on the
// snapshot alone.
func TestTrim(t *testing.T) {
	const old, keep = 6, time.Hour // messages stored before the limit of age, of 12
	for _, c := range []struct {
		name  string
		bytes int // of each message, of 1000 a stream
		needs retention.Needs
		check error
		want  uint64 // first message that stays
	}{
		{name: "old", bytes: 10, needs: retention.Needs{Events: 12, EventsWithoutRows: 12}, want: old + 1},
		{name: "old and needed", bytes: 10, needs: retention.Needs{Events: 3, EventsWithoutRows: 12}, want: 3},
		{name: "not the log that was read", bytes: 10, needs: retention.Needs{Events: 12}, check: errors.New("other"), want: 1},
		{name: "short of space", bytes: 80, needs: retention.Needs{Events: 9, EventsWithoutRows: 12}, want: 9},
		{name: "rows are behind", bytes: 80, needs: retention.Needs{Events: 2, EventsWithoutRows: 10}, want: 10},
		{name: "all is needed", bytes: 80, needs: retention.Needs{}, want: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				log := stream.NewMemory(time.Now)
				open := func(name string) stream.Stream {
					s, err := log.Open(ctx, name, stream.Options{MaxBytes: 1000})
					if err != nil {
						t.Fatal(err)
					}
					for i := range 12 {
						if i == old {
							time.Sleep(keep)
						}
						if _, err := stream.AppendWait(ctx, s, stream.Append{Data: make([]byte, c.bytes)}); err != nil {
							t.Fatal(err)
						}
					}
					return s
				}
				events := open("EV_0")
				effects := open("FX_0") // nothing of it may go
				trimmer := retention.New(retention.Config{
					Events: []stream.Stream{events}, Effects: []stream.Stream{effects}, Keep: keep + 30*time.Minute,
					Check:  func(context.Context, int) error { return c.check },
					Halted: func(int) error { return nil },
					Needs:  func(int) retention.Needs { return c.needs },
					Logger: slog.New(slog.DiscardHandler),
				})
				go trimmer.Run(ctx)
				time.Sleep(10 * time.Second)
				synctest.Wait()
				info, err := events.Info(ctx)
				if err != nil || info.First != c.want {
					t.Errorf("the first event left is %d, error %v; want %d", info.First, err, c.want)
				}
				if info, err := effects.Info(ctx); err != nil || info.First != 1 {
					t.Errorf("the first effect left is %d, error %v; all are needed", info.First, err)
				}
			})
		})
	}
}
