package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/nudge-engine/nudge/stream"
)

// retainEvery is how often the log is trimmed.
const retainEvery = 10 * time.Second

// retain trims what nobody needs any more (R11): below the snapshot, the rows and
// the copied deliveries, older than the retention or beyond half of the space.
func (n *node) retain(ctx context.Context) {
	ticker := time.NewTicker(retainEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for p := range n.events {
			if err := n.engine.CheckContinuity(ctx, p); err != nil {
				if ctx.Err() == nil && n.engine.Halted(p) == nil {
					n.log.Warn("retention: the log cannot be checked", slog.Int("partition", p), slog.Any("error", err))
				}
				continue // what may not be the log that was read is not trimmed
			}
			events := min(n.engine.SavedSeq(p), n.writer.Position(p))
			if n.control.Backfilling() {
				events = 0 // it reads them; where space runs short they go all the same
			}
			needed := min(n.engine.SavedEffect(p), n.dispatch.Copied(p))
			effects := min(needed, n.writer.EffectPosition(p))
			if err := n.trim(ctx, n.events[p], events, n.engine.SavedSeq(p)); err != nil && ctx.Err() == nil {
				n.log.Warn("retention: events", slog.Int("partition", p), slog.Any("error", err))
			}
			if err := n.trim(ctx, n.effects[p], effects, needed); err != nil && ctx.Err() == nil {
				n.log.Warn("retention: effects", slog.Int("partition", p), slog.Any("error", err))
			}
		}
	}
}

// trim trims a stream below done, the message at done itself stays. A warehouse
// that is away may pin half of the space; beyond, frames below pinned go and the
// warehouse notes the gap.
func (n *node) trim(ctx context.Context, s stream.Stream, done, pinned uint64) error {
	info, err := s.Info(ctx)
	if err != nil || info.Last == 0 {
		return err
	}
	if info.Bytes <= info.MaxBytes/2 {
		through, err := n.olderThan(ctx, s, info.First, done, time.Now().Add(-n.config.Retention))
		if err != nil {
			return err
		}
		return cut(ctx, s, info, through)
	}
	if err := cut(ctx, s, info, max(done, 1)-1); err != nil {
		return err
	}
	// What is done is gone; only what the warehouse alone still needs can be left.
	if info, err = s.Info(ctx); err != nil || info.Bytes <= info.MaxBytes/2 {
		return err
	}
	return cut(ctx, s, info, max(pinned, 1)-1)
}

func cut(ctx context.Context, s stream.Stream, info stream.Info, through uint64) error {
	if through < info.First {
		return nil
	}
	return s.Trim(ctx, through)
}

// olderThan is the last message before done that was stored before limit, by
// bisection; 0 when there is none.
func (n *node) olderThan(ctx context.Context, s stream.Stream, first, done uint64, limit time.Time) (uint64, error) {
	if done <= first {
		return 0, nil
	}
	low, high := first, done // messages below low are older, high and above are not
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
