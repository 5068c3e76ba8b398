// Package recovery brings partitions of a stopped server back that halted because their log
// lost messages that had been read, and accepts that parts of a data directory are missing. It
// is `nudge recover`, for the person who looks into a halted partition.
//
// What was lost stays lost. Recovery makes the rest consistent again, so that the server can
// go on, and says what that costs. Without Apply it only reports. A run that was cut off can
// be repeated; see mend for what may be lost then.
//
// Reading order: recovery.go mends the numbering of streams, lost.go passes over damaged
// frames, parts.go accepts missing parts.
package recovery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/nudge-engine/nudge/actors/recovery"
	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/ops/datadir"
	"github.com/nudge-engine/nudge/sink/dispatch"
	"github.com/nudge-engine/nudge/sink/warehouse"
	"github.com/nudge-engine/nudge/storage"
	"github.com/nudge-engine/nudge/stream"
)

// Config is what [Run] works on. All fields but Apply are required.
type Config struct {
	// Dir is the data directory.
	Dir string
	// Apply does what is needed; else it is only said what would be done.
	Apply bool
	// Out gets a line for each thing that is found or done.
	Out io.Writer
	// Logger gets the log's reports of damage.
	Logger *slog.Logger
}

// Run looks at every partition and at the parts of the directory, and mends them. The error
// wraps [datadir.ErrInUse] while a server has the directory.
//
// The state of the customers is kept. The numbering of a stream is moved behind everything
// that was ever read of it, so that no new event is taken for an old one; events that came
// after the loss, under numbers used before, are appended again.
func Run(ctx context.Context, config Config) (err error) {
	unlock, err := datadir.Lock(config.Dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	store, err := openState(config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	log, err := datadir.OpenLog(config.Dir, config.Logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	records, err := datadir.ReadControl(log)
	if err != nil {
		return err
	}
	key, err := datadir.EraseKey(config.Dir)
	if err != nil {
		return err
	}
	partitions := records[0].Genesis.Partitions
	missing := &missingParts{dir: config.Dir, log: log, store: store, out: config.Out, do: config.Apply, key: key}
	if err := missing.look(ctx); err != nil {
		return err
	}
	sinks := make([]warehouse.Position, partitions)
	// Without the stream nobody knows how far rows were written, and nothing counts as read by
	// the writer.
	if missing.written {
		if sinks, err = warehouse.Positions(ctx, log, partitions); err != nil {
			return err
		}
	}
	for p := range partitions {
		c := &mender{
			partition: p, log: missing.streams(), store: store, out: config.Out, do: config.Apply,
			// genesis is what the log was created with; the control stream is opened by it.
			genesis: *records[0].Genesis, skips: control.SkipsOf(records, p), eraseKey: key,
		}
		if err := c.run(ctx, sinks[p]); err != nil {
			return fmt.Errorf("partition %d: %w", p, err)
		}
	}
	return missing.accept(ctx, records[0].Genesis.LogID)
}

// closingStore is a store that the function which opened it also closes.
type closingStore interface {
	storage.Store
	Close() error
}

// openState opens the state, read only unless Apply. Where there is none yet, and none may be
// created, an empty one in memory takes its place.
func openState(config Config) (closingStore, error) {
	dir := filepath.Join(config.Dir, "state")
	files, err := os.ReadDir(dir)
	if !config.Apply && len(files) == 0 && (err == nil || errors.Is(err, os.ErrNotExist)) {
		return storage.NewMemory(), nil
	}
	return storage.OpenPebble(storage.PebbleConfig{Dir: dir, ReadOnly: !config.Apply})
}

// mender looks at one partition and mends it.
type mender struct {
	partition int
	eraseKey  []byte
	log       stream.Log
	store     storage.Store
	out       io.Writer
	// do is Config.Apply.
	do      bool
	genesis control.Genesis
	// skips are the records that are passed over already; passOver adds to them.
	skips control.Skips
}

// say prints a line about the partition.
func (m *mender) say(format string, args ...any) {
	fmt.Fprintf(m.out, "partition %d: %s\n", m.partition, fmt.Sprintf(format, args...))
}

// run looks at the partition and mends it; sink is how far its rows were written. The steps:
//
//  1. find how far each stream was read, by the shard or by a sink;
//  2. move the numbering of a stream that is not the one that was read behind that;
//  3. move the snapshot on, if it stands before where the numbering now goes on;
//  4. pass over frames that the disk damaged.
func (m *mender) run(ctx context.Context, sink warehouse.Position) error {
	var meta shard.Meta
	stored, err := m.store.Get(storage.MetaKey(m.partition))
	if err == nil && stored != nil {
		meta, err = shard.DecodeMeta(stored)
	}
	if err != nil {
		return err
	}
	copied, err := dispatch.CopiedTo(m.store, m.partition)
	if err != nil {
		return err
	}
	// The sizes count only for streams that are created, which happens with Apply alone.
	events, err := m.log.Open(ctx, stream.EventStream(m.partition), stream.Options{MaxBytes: 1 << 30})
	if err != nil {
		return err
	}
	effects, err := m.log.Open(ctx, stream.EffectStream(m.partition), stream.Options{MaxBytes: 1 << 30})
	if err != nil {
		return err
	}
	told, err := lastFrame(ctx, effects)
	if err != nil {
		return err
	}
	// Effect messages name their frame, so the effect stream also says how far frames were
	// read.
	read := readTo{
		frame:  max(meta.Applied.Seq, sink.Event, told.seq),
		effect: max(meta.Emitted, sink.Effect, copied),
	}
	whole, err := m.mend(ctx, "frames", events, read.frame, meta.Applied.Seq,
		recovery.CheckEvents(ctx, events, meta.Applied), meta.Applied.Time)
	if err != nil {
		return err
	}
	same, err := m.mend(ctx, "effect messages", effects, read.effect, min(copied, sink.Effect),
		recovery.CheckEffects(ctx, effects, meta.Emitted, meta.LastHash), 0)
	if err != nil {
		return err
	}
	if err := m.moveOn(&meta, read, told, whole, same); err != nil {
		return err
	}
	lost, err := m.passOver(ctx, events, effects, meta)
	if err == nil && whole && same && lost == 0 {
		m.say("ok, frames to %d, effects to %d", meta.Applied.Seq, meta.Emitted)
	}
	return err
}

// readTo is the last frame and the last effect message that anybody read.
type readTo struct{ frame, effect uint64 }

// moveOn moves the snapshot to where the numbering goes on, when readers had come further than
// it: what was between is lost for the state. It changes nothing of the customers.
func (m *mender) moveOn(meta *shard.Meta, read readTo, told effectEnd, whole, same bool) error {
	// The snapshot keeps its customers and only stands elsewhere.
	next := *meta
	// Frames between the snapshot and read.frame are lost to the state. Effects that were
	// computed from them stay as they are.
	if !whole && read.frame > meta.Applied.Seq {
		next.Applied = shard.Position{Seq: read.frame, Time: meta.Applied.Time}
		if told.n > meta.Emitted {
			next.Emitted, next.LastHash = told.n, told.hash
		}
	}
	// Effects up to here were read by somebody; the next one gets a later number.
	if !same {
		next.Emitted = max(next.Emitted, read.effect)
	}
	if next == *meta || !m.do {
		return nil
	}
	*meta = next
	shard, err := m.shard()
	if err != nil {
		return err
	}
	shard.Rebase(next.Applied, next.Emitted, next.LastHash)
	return m.store.Commit(shard.Snapshot())
}

// mend looks at one stream, and moves its numbering behind read, the last message that anybody
// read, when the stream is not the one that was read. It returns whether the stream was whole.
//
// used is the last message that all who need it had; broken is what the check of the stream
// against the snapshot found; since is the log's time of the snapshot (ns): messages stored
// later came after the loss, under numbers used before, and are appended again. 0 means that
// none are kept: effects are computed again.
func (m *mender) mend(ctx context.Context, what string, s stream.Stream, read, used uint64, broken error,
	since int64,
) (whole bool, err error) {
	info, err := s.Info(ctx)
	if err != nil {
		return false, err
	}
	// It is the stream that was read, and nobody has read beyond its end.
	if broken == nil && info.Last >= read {
		return true, nil
	}
	// The check itself failed, which says nothing about the stream.
	if broken != nil && !errors.Is(broken, shard.ErrContinuity) {
		return false, broken
	}
	m.say("%s: the log has %d..%d, it was read to %d: %v", what, info.First, info.Last, read, broken)
	if read > used {
		m.say("%s %d..%d are lost to a reader that had not come to them", what, used+1, read)
	}
	later, err := m.after(ctx, s, info, read, since)
	if err != nil {
		return false, err
	}
	if !m.do {
		m.say("would move the numbering of the %s to %d and append %d again; say --yes to do it",
			what, read+1, len(later))
		return false, nil
	}
	// The next message gets the number read+1, also when the stream ends before that.
	if err := s.Trim(ctx, read); err != nil {
		return false, err
	}
	// When this is cut off, the events that are not appended yet are lost, which is why a copy
	// of the directory should be kept.
	for _, data := range later {
		if _, err := stream.AppendWait(ctx, s, stream.Append{Data: data}); err != nil {
			return false, err
		}
	}
	m.say("mended: the numbering of the %s goes on behind %d, %d were appended again", what, read, len(later))
	return false, nil
}

// after returns the messages up to read that were stored after since (ns).
func (m *mender) after(ctx context.Context, s stream.Stream, info stream.Info, read uint64, since int64) (
	found [][]byte, err error,
) {
	if since == 0 {
		return nil, nil
	}
	for seq := max(info.First, 1); seq <= min(info.Last, read); seq++ {
		stored, err := s.Get(ctx, seq)
		if errors.Is(err, stream.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if stored.Time.UnixNano() > since {
			found = append(found, stored.Data)
		}
	}
	return found, nil
}
