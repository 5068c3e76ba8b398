package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/gofrs/flock"

	"github.com/nudge-engine/nudge/actors/recovery"
	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/actors/shard/view"
	"github.com/nudge-engine/nudge/campaign"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/storage"
	"github.com/nudge-engine/nudge/stream"
)

// workspace is the one workspace there is.
const workspace = "default"

// maxDecisions bounds the decisions that a replay keeps of its customer.
const maxDecisions = 50

// stopped is the data directory of a server that is not running.
type stopped struct {
	dir     string
	lock    *flock.Flock
	store   *storage.Pebble
	log     *stream.JetStream
	lang    *campaign.Language
	control []control.Record
	key     []byte // of the hashes of erased customers
}

// openStopped locks and opens a data directory; it must be closed.
func openStopped(dir string, out console) (_ *stopped, err error) {
	d := &stopped{dir: dir, lock: flock.New(filepath.Join(dir, "lock"))}
	locked, err := d.lock.TryLock()
	if err != nil || !locked {
		return nil, errors.Join(fmt.Errorf("%s is in use: stop the server first, or take a copy of it", dir), err)
	}
	defer func() {
		if err != nil {
			d.close()
		}
	}()
	if d.store, err = storage.OpenPebble(storage.PebbleConfig{Dir: d.state(), ReadOnly: true}); err != nil {
		return nil, err
	}
	config := stream.EmbeddedConfig{Dir: filepath.Join(dir, "log"), Logger: errorsOnly(out)}
	if d.log, err = stream.OpenEmbedded(config); err != nil {
		return nil, err
	}
	if d.lang, err = campaign.NewLanguage(); err != nil {
		return nil, err
	}
	if d.key, err = eraseKey(dir); err != nil {
		return nil, err
	}
	d.control, err = controlRecords(d.log)
	return d, err
}

func (d *stopped) state() string { return filepath.Join(d.dir, "state") }

// close gives the directory back; nothing was written.
func (d *stopped) close() {
	if d.log != nil {
		_ = d.log.Close()
	}
	if d.store != nil {
		_ = d.store.Close()
	}
	_ = d.lock.Unlock()
}

// knows says whether there ever was a campaign of that name.
func (d *stopped) knows(name string) bool {
	for i := range d.control {
		if a := d.control[i].Apply; a != nil && slices.ContainsFunc(a.Documents, func(doc campaign.Document) bool {
			return doc.Kind == campaign.KindCampaign && doc.Name == name
		}) {
			return true
		}
	}
	return false
}

// replay is a customer's partition, folded anew.
type replay struct {
	data      *stopped
	customer  string
	partition int
	events    stream.Stream
	info      stream.Info
	first     uint64 // the first frame that can be replayed
	snapshot  shard.Meta

	shard     *shard.Shard
	reach     int64               // log time from which it is whole, ms; 0: from the first record on
	decisions []campaign.Decision // of the customer, oldest first, the last maxDecisions
}

// replay opens the partition of a customer.
func (d *stopped) replay(ctx context.Context, customer string) (*replay, error) {
	r := &replay{
		data: d, customer: customer,
		partition: stream.PartitionOf(workspace, customer, d.control[0].Genesis.Partitions),
	}
	var err error
	r.events, err = d.log.Open(ctx, stream.EventStream(r.partition), stream.Options{MaxBytes: 1 << 20})
	if err != nil {
		return nil, err
	}
	if r.info, err = r.events.Info(ctx); err != nil {
		return nil, err
	}
	r.first = max(r.info.First, rebasedTo(d.control, r.partition)+1, 1)
	r.snapshot, err = r.meta("")
	return r, err
}

// base is a state from which a replay can begin.
type base struct {
	path string // of a checkpoint; empty: the store itself
	now  int64  // log time, ms; 0: nothing was applied
	none bool   // the state before the first record
}

// bases are the states from which the log is whole, oldest first.
func (r *replay) bases(ctx context.Context) ([]base, error) {
	var all []base
	if r.first == 1 && uint64(r.data.control[0].Genesis.Semantics) == effect.Semantics {
		all = append(all, base{none: true})
	}
	names, err := storage.Checkpoints(r.data.state())
	if err != nil {
		return nil, err
	}
	for _, path := range append(checkpointPaths(r.data.state(), names), "") {
		meta, err := r.meta(path)
		if err != nil {
			return nil, err
		}
		if meta.Semantics != effect.Semantics || meta.Applied.Seq+1 < r.first {
			continue
		}
		err = recovery.CheckEvents(ctx, r.events, meta.Applied)
		if errors.Is(err, shard.ErrContinuity) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, base{path: path, now: meta.Now})
	}
	slices.SortStableFunc(all, func(a, b base) int { return int(min(max(a.now-b.now, -1), 1)) })
	if len(all) == 0 {
		return nil, fmt.Errorf("partition %d: the log begins at %d; no checkpoint and no snapshot of this version "+
			"reaches it; what another version computed, only that one can show", r.partition, r.first)
	}
	return all, nil
}

// meta is what a checkpoint (or the store, for the empty path) says about the partition.
func (r *replay) meta(path string) (m shard.Meta, err error) {
	store := r.data.store
	if path != "" {
		if store, err = storage.OpenPebble(storage.PebbleConfig{Dir: path, ReadOnly: true}); err != nil {
			return m, err
		}
		defer func() { err = errors.Join(err, store.Close()) }()
	}
	stored, err := store.Get(storage.MetaKey(r.partition))
	if err != nil || stored == nil {
		return m, err
	}
	return shard.DecodeMeta(stored)
}

// begin takes up the latest state at or before an instant (ms); 0: the oldest there is.
func (r *replay) begin(ctx context.Context, at int64, trace *campaign.Trace) error {
	all, err := r.bases(ctx)
	if err != nil {
		return err
	}
	from := all[0]
	if at != 0 && from.now > at {
		return fmt.Errorf("the state at %s cannot be reached: the log and the checkpoints go back to %s",
			campaign.FormatTime(at), campaign.FormatTime(from.now))
	}
	for _, b := range all {
		if at != 0 && b.now <= at {
			from = b
		}
	}
	r.reach = from.now
	r.shard = shard.New(shard.Config{
		Partition: r.partition, Skips: control.SkipsOf(r.data.control, r.partition), Trace: trace,
		EraseKey: r.data.key,
		Compile: func(workspace string, d *campaign.Document) (campaign.Parsed, error) {
			return campaign.ParseDocument(r.data.lang, workspace, d)
		},
	})
	if from.none {
		return nil
	}
	return recoverFrom(r.shard, from.path, r.data.store)
}

// run applies the frames whose log time is not after an instant (ms); 0: all.
func (r *replay) run(ctx context.Context, out console, until int64) error {
	first := r.shard.Applied().Seq + 1
	bar := progress(out, int(r.info.Last+1-first), "replaying")
	defer func() { _ = bar.Finish() }()
	for seq := first; seq <= r.info.Last; seq++ {
		_ = bar.Add(1)
		m, err := r.events.Get(ctx, seq)
		if err != nil {
			return err
		}
		in, err := shard.DecodeInput(m)
		if err != nil {
			return err
		}
		if until != 0 && max(in.Frame.Time, r.shard.Now()) > until {
			return nil
		}
		for done := false; !done; {
			var out effect.Effects
			if done, err = r.shard.Step(&in, &out); err != nil {
				return err
			}
			for i := range out.Decisions {
				if d := out.Decisions[i]; d.Customer == r.customer && d.Workspace == workspace {
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

// check holds the replay against the snapshot, where it comes to its frame: what is told
// is what happened.
func (r *replay) check(seq uint64) error {
	if seq != r.snapshot.Applied.Seq {
		return nil
	}
	r.shard.Snapshot() // works the state hash out; the batch is dropped
	r.shard.Saved()
	if got := r.shard.Meta(); got.StateHash != r.snapshot.StateHash {
		return fmt.Errorf("partition %d: the replay gives state %016x at frame %d, the snapshot says %016x; "+
			"see `nudge verify`", r.partition, got.StateHash, seq, r.snapshot.StateHash)
	}
	return nil
}

// view is the customer as the replay left them, nil when there is none.
func (r *replay) view() *view.Customer {
	newest := slices.Clone(r.decisions)
	slices.Reverse(newest)
	return r.shard.PastView(workspace, r.customer, newest)
}
