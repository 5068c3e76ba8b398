package recovery

import (
	"context"
	"errors"
	"fmt"

	"github.com/cespare/xxhash/v2"

	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/stream"
)

// CheckEvents says whether a stream still is the one that a position was read
// from (R7): it reaches the position, has nothing missing behind it, and the
// message at the position is the same.
func CheckEvents(ctx context.Context, s stream.Stream, at shard.Position) error {
	info, err := s.Info(ctx)
	if err != nil {
		return err
	}
	if info.Last < at.Seq || info.First > at.Seq+1 {
		return fmt.Errorf("%w: it has %d..%d, the state stands at %d", shard.ErrContinuity, info.First, info.Last,
			at.Seq)
	}
	if at.Seq == 0 || info.First > at.Seq {
		return nil
	}
	m, err := s.Get(ctx, at.Seq)
	if err != nil {
		return err
	}
	if got := shard.PositionOf(m); got != at && !standsForLost(m) {
		return fmt.Errorf("%w: message %d has time %d and hash %016x; the state knows time %d and hash %016x",
			shard.ErrContinuity, at.Seq, got.Time, got.Hash, at.Time, at.Hash)
	}
	return nil
}

// standsForLost says whether a message stands for one that the disk damaged: it was
// applied before, and what comes behind it is what came behind it.
func standsForLost(m stream.Message) bool {
	f, err := stream.DecodeFrame(m.Data)
	return err == nil && len(f.Records) == 1 && f.Records[0].Kind == stream.KindLost
}

// CheckOrigin says whether the event stream reaches the frame that made the last effect
// message: a log that lost what was acted upon is found out before it grows again.
func CheckOrigin(ctx context.Context, events, effects stream.Stream) error {
	out, err := effects.Info(ctx)
	if err != nil || out.Last < max(out.First, 1) {
		return err
	}
	from, err := EffectFrame(ctx, effects, out.Last)
	if err != nil {
		return err
	}
	info, err := events.Info(ctx)
	if err != nil {
		return err
	}
	if info.Last < from {
		return fmt.Errorf("%w: it ends at %d, effect message %d was made by frame %d", shard.ErrContinuity, info.Last,
			out.Last, from)
	}
	return nil
}

// EffectFrame is the log sequence of the frame that made effect message n.
func EffectFrame(ctx context.Context, effects stream.Stream, n uint64) (uint64, error) {
	raw, err := effects.Get(ctx, n)
	if err != nil {
		return 0, err
	}
	m, err := effect.DecodeMessage(raw.Data)
	return m.Seq, err
}

// CheckEffects is CheckEvents for effect messages, of which number and hash are
// known.
func CheckEffects(ctx context.Context, s stream.Stream, n, hash uint64) error {
	info, err := s.Info(ctx)
	if err != nil {
		return err
	}
	if info.Last < n || info.First > n+1 {
		return fmt.Errorf("%w: the effect stream has %d..%d, the state emitted %d", shard.ErrContinuity, info.First,
			info.Last, n)
	}
	if n == 0 || info.First > n {
		return nil
	}
	m, err := s.Get(ctx, n)
	if errors.Is(err, stream.ErrNotFound) {
		return fmt.Errorf("%w: effect message %d is missing", shard.ErrContinuity, n)
	}
	if err != nil {
		return err
	}
	if got := xxhash.Sum64(m.Data); got != hash {
		return fmt.Errorf("%w: effect message %d has hash %016x; the state knows %016x", shard.ErrContinuity, n, got,
			hash)
	}
	return nil
}
