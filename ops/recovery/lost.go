package recovery

import (
	"context"
	"errors"
	"fmt"

	"github.com/nudge-engine/nudge/actors"
	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/ops/datadir"
	"github.com/nudge-engine/nudge/stream"
)

// passOver accepts that frames are lost which the disk damaged and which the snapshot does not
// have yet. It returns how many there are.
//
// Effects may have been computed with a lost frame before the disk damaged it. Those stay, and
// the state is computed up to there without the frame, so that no effect is sent twice. A
// customer may then lack what the frame said, and have got a message because of it.
func (m *mender) passOver(ctx context.Context, events, effects stream.Stream, meta shard.Meta) (int, error) {
	lost, err := m.lostFrames(ctx, events, meta.Applied.Seq)
	if err != nil || len(lost) == 0 {
		return 0, err
	}
	told, err := lastFrame(ctx, effects)
	if err != nil {
		return 0, err
	}
	if told.seq < lost[0].Seq {
		// No effect was computed with a lost frame, so a plain replay is right.
		told.seq = 0
	}
	// From here on the shard that rebase makes passes over them.
	for _, place := range lost {
		m.say("frame %d is lost: the disk damaged it", place.Seq)
		m.skips[place] = acceptedLoss
	}
	// The snapshot first: cut off between the two, the next start goes on behind the
	// lost frames. The other way round it would halt, and recover would find nothing lost.
	if told.seq > 0 {
		if err := m.rebase(ctx, events, told); err != nil {
			return len(lost), err
		}
	}
	for _, place := range lost {
		if err := m.accept(ctx, place, told.seq); err != nil {
			return len(lost), err
		}
	}
	return len(lost), nil
}

// acceptedLoss is the reason that the control record of a lost frame stores; the server and
// the tools show it.
const acceptedLoss = "the disk damaged the frame; `nudge recover --yes` accepted the loss"

// lostFrames returns the places after frame applied that the disk damaged and that nobody has
// accepted yet. Opening the log put a record of kind stream.KindLost in the place of what it
// could not read.
func (m *mender) lostFrames(
	ctx context.Context,
	events stream.Stream,
	applied uint64,
) ([]control.RecordPosition, error) {
	info, err := events.Info(ctx)
	if err != nil {
		return nil, err
	}
	var lost []control.RecordPosition
	for seq := max(info.First, applied+1); seq <= info.Last; seq++ {
		in, err := readFrame(ctx, events, seq)
		// Trimmed or lost with its number; the checks of continuity deal with that.
		if errors.Is(err, stream.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for i := range in.Frame.Records {
			place := control.RecordPosition{Seq: seq, Index: i}
			if in.Frame.Records[i].Kind == stream.KindLost && m.skips[place] == "" {
				lost = append(lost, place)
			}
		}
	}
	return lost, nil
}

// readFrame reads and decodes one frame. The error wraps stream.ErrNotFound for a frame that
// is not there.
func readFrame(ctx context.Context, events stream.Stream, seq uint64) (shard.Input, error) {
	m, err := events.Get(ctx, seq)
	if err != nil {
		return shard.Input{}, err
	}
	in, err := shard.DecodeInput(m)
	if err != nil {
		err = fmt.Errorf("frame %d: %w", seq, err)
	}
	return in, err
}

// effectEnd is where the effect stream ends: the frame that the last message is of, the number
// of the message, and its hash.
type effectEnd struct{ seq, n, hash uint64 }

// lastFrame returns where an effect stream ends; zero for an empty one.
func lastFrame(ctx context.Context, effects stream.Stream) (end effectEnd, err error) {
	info, err := effects.Info(ctx)
	if err != nil || info.Last == 0 || info.First > info.Last {
		return end, err
	}
	stored, err := effects.Get(ctx, info.Last)
	if err != nil {
		return end, err
	}
	m, err := effect.DecodeMessage(stored.Data)
	return effectEnd{seq: m.Seq, n: info.Last, hash: shard.PositionOf(stored).Hash}, err
}

// accept writes the control record because of which every replay passes over the frame.
// rebased is the last frame whose effects were computed with a lost one; 0: none.
func (m *mender) accept(ctx context.Context, place control.RecordPosition, rebased uint64) error {
	if !m.do {
		m.say("would pass over frame %d; say --yes to do it", place.Seq)
		return nil
	}
	ctl, err := m.log.Open(ctx, stream.ControlStream, stream.Options{MaxBytes: 1 << 20})
	if err != nil {
		return err
	}
	controller, err := actors.OpenController(ctx, ctl, m.genesis)
	if err != nil {
		return err
	}
	err = controller.Skip(ctx, control.Skip{
		Partition: m.partition, Seq: place.Seq, Index: place.Index, Why: acceptedLoss, Rebased: rebased,
	})
	if err == nil {
		m.say("mended: frame %d is passed over", place.Seq)
	}
	return err
}

// shard returns the shard of the partition as its snapshot has it.
func (m *mender) shard() (*shard.Shard, error) {
	lang, err := expr.NewLanguage()
	if err != nil {
		return nil, err
	}
	shard := shard.New(shard.Config{
		Partition: m.partition, Skips: m.skips, EraseKey: m.eraseKey, Compile: datadir.Compile(lang),
	})
	return shard, shard.Recover(m.store)
}

// rebase computes the state without the lost frames up to where the effects end that were
// computed with them, and takes a snapshot there: what they said and sent stays, and nothing
// is said or sent again. The effects of this computation are dropped.
func (m *mender) rebase(ctx context.Context, events stream.Stream, end effectEnd) error {
	m.say("effects to %d were computed with the lost frames: they stay; to frame %d the state is computed without",
		end.n, end.seq)
	if !m.do {
		return nil
	}
	shard, err := m.shard()
	if err != nil {
		return err
	}
	for shard.Applied().Seq < end.seq {
		in, err := readFrame(ctx, events, shard.Applied().Seq+1)
		if err != nil {
			return err
		}
		// A frame at which many timers are due takes several steps.
		for done := false; !done; {
			var dropped effect.Effects
			if done, err = shard.Step(&in, &dropped); err != nil {
				return err
			}
		}
	}
	shard.Rebase(shard.Applied(), end.n, end.hash)
	return m.store.Commit(shard.Snapshot())
}
