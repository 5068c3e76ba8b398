package recovery

import (
	"context"
	"fmt"

	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/storage"
	"github.com/nudge-engine/nudge/stream"
)

// TakeOver lets a partition go on under a semantics, before its shard recovers from
// store.
//
// A snapshot of another semantics must have drained: it stands at the end of the log, and
// all effects are out. It is then rewritten as one of this semantics, before anything is
// computed, so that a crash cannot lead to computing under the old one again. If it has
// not drained the error is shard.ErrSemantics.
//
// If the snapshot is of this semantics, or there is none, the effects that replay must
// give again are checked instead: had a program of another semantics computed them, they
// could only differ.
func TakeOver(
	ctx context.Context,
	store storage.Store,
	partition int,
	semantics uint64,
	events, effects stream.Stream,
) error {
	b, err := PlanTakeOver(ctx, store, partition, semantics, events, effects)
	if err != nil || b == nil {
		return err
	}
	return store.Commit(b)
}

// PlanTakeOver does what TakeOver does but for the commit, which is left to the caller;
// the batch is nil if nothing is to be rewritten.
func PlanTakeOver(
	ctx context.Context,
	store storage.Store,
	partition int,
	semantics uint64,
	events, effects stream.Stream,
) (*storage.Batch, error) {
	stored, err := store.Get(storage.MetaKey(partition))
	if err != nil {
		return nil, err
	}
	var m shard.Meta
	if stored != nil {
		if m, err = shard.DecodeMeta(stored); err != nil {
			return nil, err
		}
	}
	out, err := effects.Info(ctx)
	if err != nil {
		return nil, err
	}
	// The ordinary start: nothing to rewrite.
	if stored == nil || m.Semantics == semantics {
		return nil, checkReplayed(ctx, partition, semantics, effects, m.Emitted+1, out)
	}
	log, err := events.Info(ctx)
	if err != nil {
		return nil, err
	}
	if log.Last != m.Applied.Seq || out.Last != m.Emitted {
		return nil, shard.SemanticsError(partition, m.Semantics, semantics)
	}
	m.Semantics = semantics
	b := new(storage.Batch)
	b.Set(storage.MetaKey(partition), m.Encode())
	return b, nil
}

// CheckDefinitions returns an error if compile refuses a definition that is in force on a
// partition. It must be called before anything is rewritten: a partition with a campaign
// that the new program cannot compile could only halt, and the old program could not come
// back.
func CheckDefinitions(store storage.Store, partition int, compile shard.Compile) error {
	stored, err := store.Get(storage.DefinitionsKey(partition))
	if err != nil || stored == nil {
		return err
	}
	if err := shard.TryDefinitions(compile, stored); err != nil {
		return fmt.Errorf("%w: partition %d: this program refuses a definition that is in force: %w; start the "+
			"program that ran last, apply the definition as this one wants it, and stop it with SIGTERM",
			shard.ErrSemantics, partition, err)
	}
	return nil
}

// checkReplayed checks the semantics of the first effect message that replay gives again,
// and of the last. If those between differ, that is found when they are computed.
func checkReplayed(
	ctx context.Context,
	partition int,
	semantics uint64,
	effects stream.Stream,
	from uint64,
	out stream.Info,
) error {
	for _, n := range []uint64{from, out.Last} {
		if n < from || n > out.Last || n < out.First {
			// Nothing is replayed, or the message was trimmed; the continuity checks look
			// at that.
			continue
		}
		raw, err := effects.Get(ctx, n)
		if err != nil {
			return err
		}
		m, err := effect.DecodeMessage(raw.Data)
		if err != nil {
			return err
		}
		if m.Semantics != semantics {
			return fmt.Errorf("%w (effect message %d)", shard.SemanticsError(partition, m.Semantics, semantics), n)
		}
	}
	return nil
}
