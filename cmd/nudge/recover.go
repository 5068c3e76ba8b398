package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"github.com/nudge-engine/nudge/actors/recovery"
	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/sink/dispatch"
	"github.com/nudge-engine/nudge/sink/warehouse"
	"github.com/nudge-engine/nudge/storage"
	"github.com/nudge-engine/nudge/stream"
)

type recoverCommand struct {
	Data string `required:"" placeholder:"DIR" help:"Data directory of a server that is not running."`
	Yes  bool   `help:"Do it. Without this only what would be done is said."`
}

func (r *recoverCommand) Help() string {
	return `Brings partitions back that halted because their log lost messages that had been
read: a damaged disk, an older copy put in place, a stream made anew. It also
accepts that a part of the data is missing or of another directory (a stream, the
state, node.json, the rows of ClickHouse), for which a server does not start: what
is missing is then made anew at the next start. Put it back from a backup instead
when there is one.

The state of the customers is kept. The numbering of the stream is moved behind
everything that was ever read of it, so that no new event is taken for an old
one; events that came after the loss, under numbers used before, are appended
again (one that is known is recognised by its id). What the log no longer has
and nobody had read is lost: it is counted and said. Keep a copy of the
directory before.`
}

func (r *recoverCommand) Run(out console) (err error) {
	lock := flock.New(filepath.Join(r.Data, "lock"))
	locked, err := lock.TryLock()
	if err != nil || !locked {
		return errors.Join(fmt.Errorf("%s is in use: stop the server first", r.Data), err)
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	store, err := r.state()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	log, err := stream.OpenEmbedded(stream.EmbeddedConfig{
		Dir:    filepath.Join(r.Data, "log"),
		Logger: errorsOnly(out),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	ctl, err := controlRecords(log)
	if err != nil {
		return err
	}
	key, err := eraseKey(r.Data)
	if err != nil {
		return err
	}
	partitions := ctl[0].Genesis.Partitions
	missing := &missingParts{dir: r.Data, log: log, store: store, out: out, do: r.Yes, key: key}
	if err := missing.look(context.Background()); err != nil {
		return err
	}
	sinks := make([]warehouse.Position, partitions)
	if missing.written {
		if sinks, err = warehouse.Positions(context.Background(), log, partitions); err != nil {
			return err
		}
	}
	for p := range partitions {
		c := &partitionRecovery{
			partition: p, log: missing.streams(), store: store, out: out, do: r.Yes, genesis: *ctl[0].Genesis,
			skips: control.SkipsOf(ctl, p), eraseKey: key,
		}
		if err := c.run(context.Background(), sinks[p]); err != nil {
			return fmt.Errorf("partition %d: %w", p, err)
		}
	}
	return missing.accept(context.Background(), ctl[0].Genesis.LogID)
}

// closingStore is what the state is kept in, closed by who opened it.
type closingStore interface {
	storage.Store
	Close() error
}

// state opens the state. Where there is none, an empty one stands for it until it is made.
func (r *recoverCommand) state() (closingStore, error) {
	dir := filepath.Join(r.Data, "state")
	if files, err := os.ReadDir(dir); !r.Yes && len(files) == 0 && (err == nil || errors.Is(err, os.ErrNotExist)) {
		return storage.NewMemory(), nil
	}
	return storage.OpenPebble(storage.PebbleConfig{Dir: dir, ReadOnly: !r.Yes})
}

// partitionRecovery looks at one partition and mends it.
type partitionRecovery struct {
	partition int
	eraseKey  []byte
	log       stream.Log
	store     storage.Store
	out       console
	do        bool
	genesis   control.Genesis
	skips     control.Skips
}

func (c *partitionRecovery) say(format string, args ...any) {
	fmt.Fprintf(c.out.out, "partition %d: %s\n", c.partition, fmt.Sprintf(format, args...))
}

func (c *partitionRecovery) run(ctx context.Context, sink warehouse.Position) error {
	var meta shard.Meta
	stored, err := c.store.Get(storage.MetaKey(c.partition))
	if err == nil && stored != nil {
		meta, err = shard.DecodeMeta(stored)
	}
	if err != nil {
		return err
	}
	copied, err := dispatch.CopiedTo(c.store, c.partition)
	if err != nil {
		return err
	}
	events, err := c.log.Open(ctx, stream.EventStream(c.partition), stream.Options{MaxBytes: 1 << 30})
	if err != nil {
		return err
	}
	effects, err := c.log.Open(ctx, stream.EffectStream(c.partition), stream.Options{MaxBytes: 1 << 30})
	if err != nil {
		return err
	}
	told, err := lastFrame(ctx, effects)
	if err != nil {
		return err
	}
	read := readTo{
		frame:  max(meta.Applied.Seq, sink.Event, told.seq),
		effect: max(meta.Emitted, sink.Effect, copied),
	}
	whole, err := c.mend(ctx, "frames", events, read.frame, meta.Applied.Seq,
		recovery.CheckEvents(ctx, events, meta.Applied), meta.Applied.Time)
	if err != nil {
		return err
	}
	same, err := c.mend(ctx, "effect messages", effects, read.effect, min(copied, sink.Effect),
		recovery.CheckEffects(ctx, effects, meta.Emitted, meta.LastHash), 0)
	if err != nil {
		return err
	}
	if err := c.moveOn(&meta, read, told, whole, same); err != nil {
		return err
	}
	lost, err := c.passOver(ctx, events, effects, meta)
	if err == nil && whole && same && lost == 0 {
		c.say("ok, frames to %d, effects to %d", meta.Applied.Seq, meta.Emitted)
	}
	return err
}

// readTo is the last frame and effect message that anybody read.
type readTo struct{ frame, effect uint64 }

// moveOn lets the snapshot stand where the numbering goes on, when readers had come
// further than it: what stood between is gone for the state.
func (c *partitionRecovery) moveOn(meta *shard.Meta, read readTo, told effectEnd, whole, same bool) error {
	next := *meta
	if !whole && read.frame > meta.Applied.Seq {
		next.Applied = shard.Position{Seq: read.frame, Time: meta.Applied.Time}
		if told.n > meta.Emitted {
			next.Emitted, next.LastHash = told.n, told.hash
		}
	}
	if !same {
		next.Emitted = max(next.Emitted, read.effect)
	}
	if next == *meta || !c.do {
		return nil
	}
	*meta = next
	shard, err := c.shard()
	if err != nil {
		return err
	}
	shard.Rebase(next.Applied, next.Emitted, next.LastHash)
	return c.store.Commit(shard.Snapshot())
}

// mend moves a stream's numbering behind read, the last message that anybody read,
// when the stream is not the one that was read. used is the last message that all
// who need it had; later are messages that came after the loss, from the instant
// since (ns; 0: none are kept).
func (c *partitionRecovery) mend(ctx context.Context, what string, s stream.Stream, read, used uint64, broken error,
	since int64,
) (whole bool, err error) {
	info, err := s.Info(ctx)
	if err != nil {
		return false, err
	}
	if broken == nil && info.Last >= read {
		return true, nil
	}
	if broken != nil && !errors.Is(broken, shard.ErrContinuity) {
		return false, broken
	}
	c.say("%s: the log has %d..%d, it was read to %d: %v", what, info.First, info.Last, read, broken)
	if read > used {
		c.say("%s %d..%d are lost to a reader that had not come to them", what, used+1, read)
	}
	later, err := c.after(ctx, s, info, read, since)
	if err != nil {
		return false, err
	}
	if !c.do {
		c.say("would move the numbering of the %s to %d and append %d again; say --yes to do it",
			what, read+1, len(later))
		return false, nil
	}
	if err := s.Trim(ctx, read); err != nil {
		return false, err
	}
	for _, data := range later {
		if _, err := stream.AppendWait(ctx, s, stream.Append{Data: data}); err != nil {
			return false, err
		}
	}
	c.say("mended: the numbering of the %s goes on behind %d, %d were appended again", what, read, len(later))
	return false, nil
}

// after are the messages up to read that were stored after since: they came under
// numbers that had been used before.
func (c *partitionRecovery) after(ctx context.Context, s stream.Stream, info stream.Info, read uint64, since int64) (
	found [][]byte, err error,
) {
	if since == 0 {
		return nil, nil
	}
	for seq := max(info.First, 1); seq <= min(info.Last, read); seq++ {
		m, err := s.Get(ctx, seq)
		if errors.Is(err, stream.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if m.Time.UnixNano() > since {
			found = append(found, m.Data)
		}
	}
	return found, nil
}
