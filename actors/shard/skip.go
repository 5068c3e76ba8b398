package shard

import (
	"errors"
	"fmt"

	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/stream"
)

// ErrLost reports a frame that the disk damaged before anything was computed from it. To
// go on without it is a person's decision, which `nudge recover` writes down as a Skip.
var ErrLost = errors.New("actors: a frame is lost")

// Rebase sets the position after which a shard goes on and the last effect message, for a
// log that lost frames whose effects are in the stream already: the numbers of these
// effects are taken, and what they ask for was done.
func (s *Shard) Rebase(applied Position, emitted, hash uint64) {
	s.applied, s.emitted, s.lastHash = applied, emitted, hash
}

// skipped makes a dead letter of a record that is to be passed over, and reports whether
// it did.
func (s *Shard) skipped(in *Input, index int, out *effect.Effects) bool {
	if len(s.config.Skips) == 0 {
		return false
	}
	why, ok := s.config.Skips[control.RecordPosition{Seq: in.At.Seq, Index: index}]
	if ok {
		s.deadLetters.add(index, &in.Frame.Records[index], output.ReasonSkipped, why, out)
		if r := &in.Frame.Records[index]; r.Kind == stream.KindTransfer {
			s.merges.pass(r.Data)
		}
	}
	return ok
}

// lost returns ErrLost if a frame stands for one that the disk damaged and no Skip
// accepts that.
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
