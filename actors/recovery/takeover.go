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
// store (R1). Where the snapshot is of another one, that must have drained: the
// snapshot stands at the end of the log and all effects are out. The snapshot is then
// rewritten first, so that after a crash nothing is computed under the old semantics
// again. Where the snapshot is of this one, or there is none, the effects that replay
// must give again are asked: those of another semantics could only differ.
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

// PlanTakeOver is TakeOver without the commit; the batch is nil when nothing is rewritten.
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

// CheckDefinitions says which definition that is in force on a partition is refused by the
// program that wants to take it over. It must be asked before anything is rewritten: a
// partition with a campaign that has no meaning could only halt, and the program under
// which it had one could not come back.
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

// checkReplayed asks the first effect message that replay gives again, and the last;
// what differs between them is found when it is computed.
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
			continue // nothing is replayed, or the continuity checks will speak
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
