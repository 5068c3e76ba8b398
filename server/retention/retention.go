// Package retention trims the log: what no part of the server reads any more is deleted when
// it is old, and sooner when space runs short. It only ever deletes from the beginning of a
// stream, and never what a shard would need to start again.
package retention

import (
	"context"
	"log/slog"
	"time"

	"github.com/nudge-engine/nudge/stream"
)

// every is how often the log is trimmed. Space is never so short that more often would help:
// admission refuses events long before a stream is full.
const every = 10 * time.Second

// Needs says what of a partition's two streams must stay, as sequence numbers: messages below
// a number may go, the one at it stays. 0 keeps everything.
type Needs struct {
	// Events is what the shard's snapshot and the rows cover, a backfill apart.
	Events uint64
	// Effects is what the snapshot, the channels and the rows cover.
	Effects uint64

	// The same without the rows. A warehouse that is away may keep no more than half of the
	// space: beyond, only these messages stay, and the rows of the deleted ones are a gap that
	// the writer records.
	EventsWithoutRows  uint64
	EffectsWithoutRows uint64
}

// Config is what a [Trimmer] works on. All fields are required.
type Config struct {
	Events, Effects []stream.Stream // by partition
	// Keep is how long a message stays that nothing needs, so that people can try definitions
	// on it (nudge simulate) and counters can be filled from it.
	Keep time.Duration
	// Check returns an error when a partition's log may not be the one that its shard has
	// read, or when that cannot be told; such a log is not trimmed.
	Check func(ctx context.Context, partition int) error
	// Halted returns why a partition has stopped. Such a partition is not trimmed, and since
	// it has reported the reason itself, nothing is logged.
	Halted func(partition int) error
	// Needs is asked for each partition before each trim.
	Needs  func(partition int) Needs
	Logger *slog.Logger
}

// Trimmer trims the streams of all partitions. Run is for one goroutine.
type Trimmer struct{ config Config }

// New makes a trimmer, which does nothing before [Trimmer.Run].
func New(config Config) *Trimmer { return &Trimmer{config} }

// Run trims every ten seconds until ctx ends. Failures are logged and tried again.
func (t *Trimmer) Run(ctx context.Context) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for p := range t.config.Events {
			t.partition(ctx, p)
		}
	}
}

// partition trims the two streams of partition p. It checks first that the log is still the
// one that the shard has read: of another log, the numbers of what may go mean nothing.
func (t *Trimmer) partition(ctx context.Context, p int) {
	if err := t.config.Check(ctx, p); err != nil {
		if ctx.Err() == nil && t.config.Halted(p) == nil {
			t.config.Logger.Warn("retention: the log cannot be checked", slog.Int("partition", p),
				slog.Any("error", err))
		}
		return
	}
	needs := t.config.Needs(p)
	err := t.trim(ctx, t.config.Events[p], needs.Events, needs.EventsWithoutRows)
	if err != nil && ctx.Err() == nil {
		t.config.Logger.Warn("retention: events", slog.Int("partition", p), slog.Any("error", err))
	}
	err = t.trim(ctx, t.config.Effects[p], needs.Effects, needs.EffectsWithoutRows)
	if err != nil && ctx.Err() == nil {
		t.config.Logger.Warn("retention: effects", slog.Int("partition", p), slog.Any("error", err))
	}
}

// trim trims a stream below needed; the message at needed itself stays. While less than half
// of its space is used, only messages go that are older than Keep. Over half, age does not
// count, and if that is not enough, not even the rows do: everything below withoutRows goes.
// So a stream reaches the limit of admission only if a shard or a channel is behind.
func (t *Trimmer) trim(ctx context.Context, s stream.Stream, needed, withoutRows uint64) error {
	info, err := s.Info(ctx)
	if err != nil || info.Last == 0 {
		return err
	}
	if info.Bytes <= info.MaxBytes/2 {
		through, err := olderThan(ctx, s, info.First, needed, time.Now().Add(-t.config.Keep))
		if err != nil {
			return err
		}
		return cut(ctx, s, info, through)
	}
	if err := cut(ctx, s, info, max(needed, 1)-1); err != nil {
		return err
	}
	// What nothing needs is gone; only what the rows alone still need can be left.
	if info, err = s.Info(ctx); err != nil || info.Bytes <= info.MaxBytes/2 {
		return err
	}
	return cut(ctx, s, info, max(withoutRows, 1)-1)
}

// cut deletes the messages up to and with through, if there are any.
func cut(ctx context.Context, s stream.Stream, info stream.Info, through uint64) error {
	if through < info.First {
		return nil
	}
	return s.Trim(ctx, through)
}

// olderThan finds by bisection the last message below needed that was stored before limit; 0
// when there is none. Times in a stream do not go back, so a few reads are enough.
func olderThan(ctx context.Context, s stream.Stream, first, needed uint64, limit time.Time) (uint64, error) {
	if needed <= first {
		return 0, nil
	}
	low, high := first, needed // messages below low are older, high and above are not
	for low < high {
		middle := low + (high-low)/2
		m, err := s.Get(ctx, middle)
		if err != nil {
			return 0, err
		}
		if m.Time.Before(limit) {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low - 1, nil
}
