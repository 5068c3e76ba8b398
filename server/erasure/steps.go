package erasure

import (
	"context"
	"log/slog"
	"time"

	"github.com/nudge-engine/nudge/actors/shard/erase"
	"github.com/nudge-engine/nudge/stream"
)

const (
	// lookEvery is how often a job looks how far shards and writer are.
	lookEvery = 200 * time.Millisecond
	// deleteLimit bounds the deletes of one job; ClickHouse rewrites parts of tables for them,
	// which may take minutes.
	deleteLimit = 5 * time.Minute
	// sayAfter is how long a job waits without progress before the log says for what.
	sayAfter = 10 * time.Second
	// checkpointsKept is how long the two older checkpoints of the state may be around: with
	// the default of a checkpoint every ten minutes, they are replaced within half an hour. It
	// does not follow the settings checkpoint_every and checkpoints.
	checkpointsKept = 30 * time.Minute
)

// steps does what is left of an erasure, in this order, and can be repeated from any place:
//
// 1. write the erase records, and wait until the shards have applied them; 2. wait for
// snapshots without the customer; 3. wait until the rows of the last records are written, and
// delete all rows.
//
// Rows come last because the writer would insert those of earlier records after the delete.
func (e *Eraser) steps(ctx context.Context, j *job) error {
	// A job of an earlier process may have done this already.
	if j.Recorded == nil {
		if err := e.record(ctx, j); err != nil {
			return err
		}
	}
	if err := e.until(ctx, j, "a snapshot without the customer", func(p position) bool {
		return e.config.Engine.SavedSeq(p.Partition) >= p.Seq
	}); err != nil {
		return err
	}
	if j.StateRemoved == nil {
		now := time.Now().UTC()
		gone := now.Add(checkpointsKept)
		j.StateRemoved, j.StateCopiesGoneBy = &now, &gone
		if err := e.save(j); err != nil {
			return err
		}
	}
	if err := e.until(ctx, j, "the customer's last rows in ClickHouse", func(p position) bool {
		return e.config.Writer.Position(p.Partition) >= p.Seq && e.config.Writer.EffectPosition(p.Partition) >= p.Effect
	}); err != nil {
		return err
	}
	// Deletes are not noted step by step: a job that comes here again deletes again.
	limited, cancel := context.WithTimeout(ctx, deleteLimit)
	defer cancel()
	if err := e.config.Warehouse.Erase(limited, j.Workspace, j.Customers); err != nil {
		return err
	}
	now := time.Now().UTC()
	j.RowsDeleted = &now
	return nil
}

// record writes an erase record for each customer of a job, waits until their shard has
// applied it, and notes how far each partition was then. Everything about the customer lies
// before that place. A repeated record changes nothing.
func (e *Eraser) record(ctx context.Context, j *job) error {
	// A record that an earlier attempt wrote is written again, and its place is asked for
	// anew.
	j.Places = nil
	for _, customer := range j.Customers {
		r := erase.Record{Workspace: j.Workspace, Customer: customer, Key: erase.Fingerprint(e.config.Key)}
		p := stream.PartitionOf(j.Workspace, customer, e.config.Partitions)
		// There is room for the answer, so that the publisher does not wait when ctx ends
		// first.
		written := make(chan error, 1)
		record := []stream.Record{{Kind: stream.KindErase, Data: r.AppendTo(nil)}}
		if err := e.config.Publisher.Add(p, record, func(err error) { written <- err }); err != nil {
			return err
		}
		select {
		case err := <-written:
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		at, err := e.applied(ctx, j.Workspace, customer)
		if err != nil {
			return err
		}
		at.Partition = p
		j.Places = append(j.Places, at)
	}
	now := time.Now().UTC()
	j.Recorded = &now
	return e.save(j)
}

// applied waits until a customer is erased in their shard, and returns how far the partition
// was then, without its number. It fails when the shard does, or when ctx ends.
func (e *Eraser) applied(ctx context.Context, workspace, customer string) (at position, err error) {
	for {
		var is bool
		if is, at.Seq, at.Effect, err = e.config.Engine.Erased(ctx, workspace, customer); err != nil || is {
			return at, err
		}
		if !pause(ctx, lookEvery) {
			return at, context.Cause(ctx)
		}
	}
}

// until returns when holds is true for every place of a job. While it waits, it logs from time
// to time what it waits for, in the words of what. A halted partition makes it fail, so that
// the job is tried again later and others have their turn.
func (e *Eraser) until(ctx context.Context, j *job, what string, holds func(position) bool) error {
	started := time.Now()
	said := started
	for _, p := range j.Places {
		for !holds(p) {
			if err := e.config.Engine.Halted(p.Partition); err != nil {
				return err
			}
			if time.Since(said) >= sayAfter {
				said = time.Now()
				e.config.Logger.Warn("erasure: it waits", slog.String("hash", j.Hash), slog.String("for", what),
					slog.Duration("since", said.Sub(started).Round(time.Second)), slog.Int("partition", p.Partition),
					slog.Uint64("frame", p.Seq), slog.Uint64("effect", p.Effect),
					slog.Uint64("snapshot", e.config.Engine.SavedSeq(p.Partition)),
					slog.Uint64("rows_of_frames", e.config.Writer.Position(p.Partition)),
					slog.Uint64("rows_of_effects", e.config.Writer.EffectPosition(p.Partition)))
			}
			if !pause(ctx, lookEvery) {
				return context.Cause(ctx)
			}
		}
	}
	return nil
}

// pause waits for d and reports whether it did; false means that ctx ended before.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
