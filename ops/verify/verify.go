// Package verify replays the log of a stopped server and compares what comes out with what the
// server kept, for `nudge verify`. That the two agree is the promise that everything else
// rests on: the state is a pure function of the log.
package verify

import (
	"context"
	"errors"
	"fmt"

	"github.com/cespare/xxhash/v2"

	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/ops/datadir"
	"github.com/nudge-engine/nudge/storage"
	"github.com/nudge-engine/nudge/stream"
)

// ErrEarlier means that all of a partition was computed by another semantics, so that this
// version has nothing to compare it with.
var ErrEarlier = errors.New("computed by another version")

// Result says what was compared of a partition.
type Result struct {
	// From and To are the first and the last frame that were replayed.
	From, To uint64
	// Messages counts the effect messages that were compared.
	Messages int
	// Customers counts the customers in the snapshot.
	Customers int
	// StateHash is the hash of the state that the snapshot holds.
	StateHash uint64
	// Begins is the first frame of the log where frames of it were not compared, because no
	// state of this version is from before them; else 0.
	Begins uint64
}

// Partition replays the log of one partition and compares: the state that comes out must have
// the hash that the last snapshot says, and each effect message that comes out must be the one
// in the log. The replay begins at frame 1 where the log still has it, else at the oldest
// state that reaches it. An error says what differs; it wraps ErrEarlier when nothing can be
// compared.
func Partition(ctx context.Context, dir *datadir.Dir, partition int) (Result, error) {
	c := &comparison{dir: dir, partition: partition}
	if err := c.run(ctx); err != nil {
		return Result{}, err
	}
	r := Result{From: c.from, To: c.to, Messages: c.compared, Customers: c.customers, StateHash: c.hash}
	// Frames of the earlier semantics are there and were not compared.
	if c.earlier && c.begins < c.from {
		r.Begins = c.begins
	}
	return r, nil
}

// comparison is the replay of one partition. Numbers of effect messages are first and last,
// numbers of frames are begins, from and to.
type comparison struct {
	dir       *datadir.Dir
	partition int

	events, effects stream.Stream
	// Effect messages before first were trimmed, and those after last were not written before
	// the server stopped.
	first uint64
	last  uint64
	// from and to are the first and the last frame that are replayed.
	from, to  uint64
	compared  int
	customers int
	hash      uint64
	// begins is the first frame that the log has, or can be replayed.
	begins uint64
	// earlier is true when another semantics computed the beginning of the log.
	earlier bool
}

// run does the comparison: it checks the stored customers against the snapshot's hash, finds a
// state to begin with, and applies frame after frame. The state is compared when the replay
// comes to the frame of the snapshot; messages are compared to the end of the log.
func (c *comparison) run(ctx context.Context) (err error) {
	c.events, err = c.dir.Log.Open(ctx, stream.EventStream(c.partition), stream.Options{MaxBytes: 1 << 20})
	if err != nil {
		return err
	}
	if c.effects, err = c.dir.Log.Open(
		ctx,
		stream.EffectStream(c.partition),
		stream.Options{MaxBytes: 1 << 20},
	); err != nil {
		return err
	}
	snapshot, err := c.snapshot()
	if err != nil {
		return err
	}
	info, err := c.events.Info(ctx)
	if err != nil {
		return err
	}
	effects, err := c.effects.Info(ctx)
	if err != nil {
		return err
	}
	c.first, c.last, c.to = max(effects.First, 1), effects.Last, info.Last
	replayed, err := c.base(info)
	if err != nil {
		return err
	}
	c.from = replayed.Applied().Seq + 1
	// The replay begins where the snapshot is, so the loop below does not come by it.
	if replayed.Applied().Seq == snapshot.Applied.Seq {
		if err := compare(replayed, snapshot); err != nil {
			return err
		}
	}
	for seq := c.from; seq <= info.Last; seq++ {
		if err := c.step(ctx, replayed, seq); err != nil {
			return err
		}
		if seq == snapshot.Applied.Seq {
			if err := compare(replayed, snapshot); err != nil {
				return err
			}
		}
	}
	// The log has lost its end; a server halts at this.
	if replayed.Applied().Seq < snapshot.Applied.Seq {
		return fmt.Errorf("the log ends at %d, the snapshot stands at %d", replayed.Applied().Seq, snapshot.Applied.Seq)
	}
	return nil
}

// snapshot reads the snapshot's meta and checks its hash against what is stored. The hash is a
// sum of hashes, one for each customer and for each erased one, so that a server can keep it
// up to date without reading all of them.
func (c *comparison) snapshot() (shard.Meta, error) {
	m, err := c.dir.Meta("", c.partition)
	if err != nil {
		return m, err
	}
	sum := uint64(0)
	err = c.dir.Store.Scan(storage.CustomerPrefix(c.partition), func(_, value []byte) error {
		sum += xxhash.Sum64(value)
		c.customers++
		return nil
	})
	if err == nil {
		prefix := storage.ErasedPrefix(c.partition)
		err = c.dir.Store.Scan(prefix, func(key, _ []byte) error {
			sum += xxhash.Sum64(key[len(prefix):])
			return nil
		})
	}
	if err == nil && sum != m.StateHash {
		err = fmt.Errorf("the stored customers have hash %016x, the snapshot says %016x", sum, m.StateHash)
	}
	c.hash = m.StateHash
	return m, err
}

// base returns the shard that the replay begins with: an empty one if the log is there from
// frame 1 and of this semantics, else one from the oldest state of this semantics whose next
// frame the log still has.
func (c *comparison) base(info stream.Info) (*shard.Shard, error) {
	// Frames up to a loss that was accepted cannot be replayed.
	info.First = max(info.First, c.dir.RebasedTo(c.partition)+1)
	c.begins, c.earlier = max(info.First, 1), uint64(c.dir.Genesis().Semantics) != effect.Semantics
	if info.First <= 1 && !c.earlier {
		return c.dir.NewShard(c.partition, nil), nil
	}
	states, err := c.dir.States()
	if err != nil {
		return nil, err
	}
	for _, state := range states {
		replayed := c.dir.NewShard(c.partition, nil)
		err := c.dir.Recover(replayed, state)
		// An earlier version computed this state; a later one may be of this version.
		if errors.Is(err, shard.ErrSemantics) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if replayed.Applied().Seq+1 >= info.First {
			return replayed, nil
		}
	}
	if c.earlier {
		return nil, fmt.Errorf("%w: the stored customers have the hash that the snapshot says; to replay the log, use "+
			"the version that computed it", ErrEarlier)
	}
	return nil, fmt.Errorf("the log begins at %d; no checkpoint and no snapshot reaches it", info.First)
}

// step applies one frame and compares what comes out with the effect stream.
func (c *comparison) step(ctx context.Context, replayed *shard.Shard, seq uint64) error {
	m, err := c.events.Get(ctx, seq)
	if err != nil {
		return err
	}
	in, err := shard.DecodeInput(m)
	if err != nil {
		return err
	}
	// A frame at which many timers are due takes several steps.
	for done := false; !done; {
		var out effect.Effects
		if done, err = replayed.Step(&in, &out); err != nil {
			return err
		}
		var different error
		replayed.Encode(&out, func(n uint64, data []byte) {
			if n < c.first || n > c.last || different != nil {
				// It was trimmed, or not written before the server stopped; or there is a
				// difference already.
				return
			}
			stored, err := c.effects.Get(ctx, n)
			if err == nil && xxhash.Sum64(stored.Data) != xxhash.Sum64(data) {
				err = fmt.Errorf("effect message %d of frame %d differs from the one in the log", n, seq)
			}
			different = err
			c.compared++
		})
		if different != nil {
			return different
		}
	}
	return nil
}

// compare returns an error unless a shard is as the snapshot of the same frame says.
func compare(replayed *shard.Shard, want shard.Meta) error {
	// A snapshot computes the state hash; the batch itself is dropped.
	replayed.Snapshot()
	replayed.Saved()
	got := replayed.Meta()
	if got != want {
		return fmt.Errorf("replay gives %+v; the snapshot says %+v", got, want)
	}
	return nil
}
