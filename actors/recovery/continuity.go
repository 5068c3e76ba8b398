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

// CheckEvents checks that an event stream still is the one that at was read from: it
// reaches that position, misses nothing after it, and the message there is the same.
// Otherwise the error is shard.ErrContinuity; any other error says nothing about the
// stream. A stream whose message at the position was trimmed passes.
//
// A server can lose its tail after a power loss and use the sequences again for other
// messages, so sequences alone prove nothing.
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

// standsForLost reports whether a message was written in the place of one that the disk
// damaged. The lost message was applied before, and those after it are the ones that came
// after it, so the state still fits.
func standsForLost(m stream.Message) bool {
	f, err := stream.DecodeFrame(m.Data)
	return err == nil && len(f.Records) == 1 && f.Records[0].Kind == stream.KindLost
}

// CheckOrigin checks that the event stream reaches the frame that made the last effect
// message. If it does not, what was acted upon is lost: the error is shard.ErrContinuity.
// It must be found out before the stream grows past that frame again.
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

// EffectFrame returns the log sequence of the frame that made effect message n.
func EffectFrame(ctx context.Context, effects stream.Stream, n uint64) (uint64, error) {
	raw, err := effects.Get(ctx, n)
	if err != nil {
		return 0, err
	}
	m, err := effect.DecodeMessage(raw.Data)
	return m.Seq, err
}

// CheckEffects does for an effect stream what CheckEvents does for an event stream; n and
// hash are the number and XXH64 of the last effect message of the state.
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
