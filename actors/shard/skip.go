package shard

import (
	"errors"
	"fmt"

	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/stream"
)

// ErrLost means that a frame was damaged on disk before anything was computed from
// it. Going on needs a person's word: `nudge recover` gives it as a Skip.
var ErrLost = errors.New("actors: a frame is lost")

// Rebase makes a shard whose log lost frames go on behind them, and where the effects
// end that were computed with them: their numbers are used, and what they did is done.
func (s *Shard) Rebase(applied Position, emitted, hash uint64) {
	s.applied, s.emitted, s.lastHash = applied, emitted, hash
}

// skipped makes a dead letter of a record that is to be passed over.
func (s *Shard) skipped(in *Input, index int, out *effect.Effects) bool {
	if len(s.config.Skips) == 0 {
		return false
	}
	why, ok := s.config.Skips[control.RecordPosition{Seq: in.At.Seq, Index: index}]
	if ok {
		s.addDeadLetter(index, &in.Frame.Records[index], output.ReasonSkipped, why, out)
		if r := &in.Frame.Records[index]; r.Kind == stream.KindTransfer {
			s.passTransfer(r.Data)
		}
	}
	return ok
}

// lost says whether a frame stands for one that is lost, and nobody has said that the
// fold may pass over it.
func (s *Shard) lost(in *Input) error {
	for i := range in.Frame.Records {
		if in.Frame.Records[i].Kind != stream.KindLost {
			continue
		}
		if _, accepted := s.config.Skips[control.RecordPosition{Seq: in.At.Seq, Index: i}]; !accepted {
			return fmt.Errorf("%w: partition %d, frame %d: the disk damaged it; see `nudge recover`", ErrLost,
				s.config.Partition, in.At.Seq)
		}
	}
	return nil
}
