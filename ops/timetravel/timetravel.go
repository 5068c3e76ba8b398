// Package timetravel shows customers of a stopped server as they were: it begins with a kept
// state and replays the log from there, for `nudge customer --data` and `nudge explain
// --data`. It changes nothing.
//
// Use a [Replay] in this order: [New], [Replay.Begin], [Replay.Run], [Replay.View].
package timetravel

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/nudge-engine/nudge/actors/recovery"
	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/actors/shard/view"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/trace"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/ops/datadir"
	"github.com/nudge-engine/nudge/stream"
)

// maxDecisions bounds the decisions that a replay keeps of its customer. A person reads them,
// and the latest are those that explain how the customer stands.
const maxDecisions = 50

// Replay computes the partition of a customer anew. The whole partition, because a customer's
// state depends on control records and merges that concern others too. It belongs to one
// goroutine.
type Replay struct {
	dir       *datadir.Dir
	customer  string
	partition int
	events    stream.Stream
	// info is the extent of the log of the partition.
	info stream.Info
	// first is the first frame that can be replayed.
	first uint64
	// snapshot is how the server left the partition; the replay is compared with it.
	snapshot shard.Meta

	shard *shard.Shard
	// since is the log time (ms) of the state that it began with; 0: from the first record on.
	since int64
	// decisions are those about the customer, oldest first, the last maxDecisions.
	decisions []output.Decision
}

// New opens the partition of a customer; Begin is next. Whether there is such a customer is
// not known before the replay.
func New(ctx context.Context, dir *datadir.Dir, customer string) (*Replay, error) {
	r := &Replay{
		dir: dir, customer: customer,
		partition: stream.PartitionOf(datadir.Workspace, customer, dir.Genesis().Partitions),
	}
	var err error
	r.events, err = dir.Log.Open(ctx, stream.EventStream(r.partition), stream.Options{MaxBytes: 1 << 20})
	if err != nil {
		return nil, err
	}
	if r.info, err = r.events.Info(ctx); err != nil {
		return nil, err
	}
	// Neither trimmed frames nor those that were computed with lost ones can be replayed.
	r.first = max(r.info.First, dir.RebasedTo(r.partition)+1, 1)
	r.snapshot, err = dir.Meta("", r.partition)
	return r, err
}

// base is a state from which a replay can begin.
type base struct {
	// state is its path as Dir.States returns it.
	state string
	// now is its log time (ms); 0: nothing was applied.
	now int64
	// none means the state before the first record.
	none bool
}

// bases returns the states from which the log is whole, oldest first. States that another
// semantics computed, or on another log, are left out. None at all is an error.
func (r *Replay) bases(ctx context.Context) ([]base, error) {
	var all []base
	// With all frames, and if no other semantics computed some of them, an empty state is a
	// base too.
	if r.first == 1 && uint64(r.dir.Genesis().Semantics) == effect.Semantics {
		all = append(all, base{none: true})
	}
	states, err := r.dir.States()
	if err != nil {
		return nil, err
	}
	for _, state := range states {
		meta, err := r.dir.Meta(state, r.partition)
		if err != nil {
			return nil, err
		}
		if meta.Semantics != effect.Semantics || meta.Applied.Seq+1 < r.first {
			continue
		}
		err = recovery.CheckEvents(ctx, r.events, meta.Applied)
		// A state from before the log lost something; a later one may do.
		if errors.Is(err, shard.ErrContinuity) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, base{state: state, now: meta.Now})
	}
	slices.SortStableFunc(all, func(a, b base) int { return int(min(max(a.now-b.now, -1), 1)) })
	if len(all) == 0 {
		return nil, fmt.Errorf("partition %d: the log begins at %d; no checkpoint and no snapshot of this version "+
			"reaches it; what another version computed, only that one can show", r.partition, r.first)
	}
	return all, nil
}

// Begin takes up the latest state at or before an instant (ms); 0: the oldest there is. What
// is decided about the customer from there on is written into trace, if that is not nil. The
// error says how far back the log and the checkpoints go when they do not reach the instant.
func (r *Replay) Begin(ctx context.Context, at int64, trace *trace.Trace) error {
	all, err := r.bases(ctx)
	if err != nil {
		return err
	}
	from := all[0]
	if at != 0 && from.now > at {
		return fmt.Errorf("the state at %s cannot be reached: the log and the checkpoints go back to %s",
			unit.FormatTime(at), unit.FormatTime(from.now))
	}
	for _, b := range all {
		if at != 0 && b.now <= at {
			from = b
		}
	}
	r.since = from.now
	r.shard = r.dir.NewShard(r.partition, trace)
	if from.none {
		return nil
	}
	return r.dir.Recover(r.shard, from.state)
}

// Left returns how many frames Run has to look at.
func (r *Replay) Left() int { return int(r.info.Last - r.shard.Applied().Seq) }

// Run applies the frames whose log time is not after an instant (ms); 0: all. It calls step
// before each. It fails when the replay gives another state than the snapshot that the server
// kept, because then it does not show what happened.
func (r *Replay) Run(ctx context.Context, until int64, step func()) error {
	for seq := r.shard.Applied().Seq + 1; seq <= r.info.Last; seq++ {
		step()
		m, err := r.events.Get(ctx, seq)
		if err != nil {
			return err
		}
		in, err := shard.DecodeInput(m)
		if err != nil {
			return err
		}
		// This frame and all later ones are after the instant.
		if until != 0 && max(in.Frame.Time, r.shard.Now()) > until {
			return nil
		}
		// A frame at which many timers are due takes several steps.
		for done := false; !done; {
			var out effect.Effects
			if done, err = r.shard.Step(&in, &out); err != nil {
				return err
			}
			for i := range out.Decisions {
				if d := out.Decisions[i]; d.Customer == r.customer && d.Workspace == datadir.Workspace {
					r.decisions = append(r.decisions, d)
				}
			}
		}
		if over := len(r.decisions) - maxDecisions; over > 0 {
			r.decisions = slices.Delete(r.decisions, 0, over)
		}
		if err := r.check(seq); err != nil {
			return err
		}
	}
	return nil
}

// check compares the state after frame seq with the snapshot, if that was taken there.
func (r *Replay) check(seq uint64) error {
	if seq != r.snapshot.Applied.Seq {
		return nil
	}
	// A snapshot computes the state hash; the batch itself is dropped.
	r.shard.Snapshot()
	r.shard.Saved()
	if got := r.shard.Meta(); got.StateHash != r.snapshot.StateHash {
		return fmt.Errorf("partition %d: the replay gives state %016x at frame %d, the snapshot says %016x; "+
			"see `nudge verify`", r.partition, got.StateHash, seq, r.snapshot.StateHash)
	}
	return nil
}

// View returns the customer as the replay left them, with their last decisions, newest first;
// nil when no event of theirs was seen.
func (r *Replay) View() *view.Customer {
	newest := slices.Clone(r.decisions)
	slices.Reverse(newest)
	return r.shard.PastView(datadir.Workspace, r.customer, newest)
}

// Partition returns the number of the customer's partition.
func (r *Replay) Partition() int { return r.partition }

// Frame returns the last frame that was applied.
func (r *Replay) Frame() uint64 { return r.shard.Applied().Seq }

// Now returns the log time that the replay has come to, in ms.
func (r *Replay) Now() int64 { return r.shard.Now() }

// Since returns the log time, in ms, of the state that the replay began with; 0: it began with
// the first record.
func (r *Replay) Since() int64 { return r.since }
