package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/cespare/xxhash/v2"
	"github.com/gofrs/flock"

	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/campaign"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/storage"
	"github.com/nudge-engine/nudge/stream"
)

type verifyCommand struct {
	Data string `required:"" placeholder:"DIR" help:"Data directory of a server that is not running."`
}

func (v *verifyCommand) Help() string {
	return `Replays the log of a stopped server and compares: the state that comes out must
have the hash that the last snapshot says, and every effect message that comes
out must be the one in the log. The replay begins at sequence 1 where the log
still has it, else at the older checkpoint. What a version of other semantics
computed is not compared: the replay begins where this one took over. Nothing is changed,
unless the disk damaged the log: then it is mended as at a start, and said.`
}

func (v *verifyCommand) Run(out console) (err error) {
	lock := flock.New(filepath.Join(v.Data, "lock"))
	locked, err := lock.TryLock()
	if err != nil || !locked {
		return errors.Join(fmt.Errorf("%s is in use: stop the server first", v.Data), err)
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	store, err := storage.OpenPebble(storage.PebbleConfig{Dir: filepath.Join(v.Data, "state"), ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	log, err := stream.OpenEmbedded(stream.EmbeddedConfig{
		Dir:    filepath.Join(v.Data, "log"),
		Logger: errorsOnly(out),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	lang, err := campaign.NewLanguage()
	if err != nil {
		return err
	}
	ctl, err := controlRecords(log)
	if err != nil {
		return err
	}
	key, err := eraseKey(v.Data)
	if err != nil {
		return err
	}
	partitions := ctl[0].Genesis.Partitions
	wrong, unknown := 0, 0
	for p := range partitions {
		c := &comparison{
			partition: p, log: log, store: store, dir: filepath.Join(v.Data, "state"),
			skips:   control.SkipsOf(ctl, p),
			rebased: rebasedTo(ctl, p), eraseKey: key, genesis: uint64(ctl[0].Genesis.Semantics),
			compile: func(workspace string, d *campaign.Document) (campaign.Parsed, error) {
				return campaign.ParseDocument(lang, workspace, d)
			},
		}
		err := c.run(context.Background())
		if errors.Is(err, errEarlier) {
			unknown++
			fmt.Fprintf(out.out, "partition %d: not compared: %v\n", p, err)
			continue
		}
		if err != nil {
			wrong++
			fmt.Fprintf(out.out, "partition %d: WRONG: %v\n", p, err)
			continue
		}
		c.tell(out)
	}
	if wrong > 0 {
		return fmt.Errorf("%d of %d partitions are wrong", wrong, partitions)
	}
	if unknown > 0 {
		return fmt.Errorf("%d of %d partitions were not compared", unknown, partitions)
	}
	return nil
}

// errorsOnly says what the log finds wrong with itself, above all damage on disk.
func errorsOnly(out console) *slog.Logger {
	return slog.New(slog.NewTextHandler(out.err, &slog.HandlerOptions{Level: slog.LevelError}))
}

// controlRecords reads the control log; the first record is the genesis.
func controlRecords(log *stream.JetStream) ([]control.Record, error) {
	ctx := context.Background()
	if _, found, err := log.Created(ctx, stream.ControlStream); err != nil || !found {
		return nil, errors.Join(err, fmt.Errorf("the log has no stream %s, which has campaigns, versions and limits: "+
			"put log/ and state/ back from a backup of one instant; without one, move the data "+
			"directory away and begin anew",
			stream.ControlStream))
	}
	ctl, err := log.Open(ctx, stream.ControlStream, stream.Options{MaxBytes: 1 << 20})
	if err != nil {
		return nil, err
	}
	info, err := ctl.Info(ctx)
	if err != nil {
		return nil, err
	}
	var records []control.Record
	for k := uint64(1); k <= info.Last; k++ {
		m, err := ctl.Get(ctx, k)
		if err != nil {
			return nil, fmt.Errorf("control record %d: %w", k, err)
		}
		c, err := control.Decode(m.Data)
		if err != nil {
			return nil, err
		}
		records = append(records, c)
	}
	if len(records) == 0 || records[0].Genesis == nil {
		return nil, errors.New("the first control record does not say the number of partitions")
	}
	return records, nil
}

// comparison is the replay of one partition.
type comparison struct {
	partition int
	log       stream.Log
	store     storage.Store
	dir       string
	compile   shard.Compile
	skips     control.Skips
	eraseKey  []byte
	rebased   uint64 // effects up to this frame were computed with frames that are lost
	genesis   uint64 // semantics of the program that made the log

	events, effects stream.Stream
	first           uint64 // effect messages before it are gone
	last            uint64
	from, to        uint64
	compared        int
	customers       int
	hash            uint64
	begins          uint64 // the first frame of the log
	earlier         bool   // a version of another semantics has been here
}

// errEarlier means that all of a partition was computed by another semantics.
var errEarlier = errors.New("computed by another version")

// tell says what was compared, and which frames of the log were not.
func (c *comparison) tell(out console) {
	fmt.Fprintf(out.out, "partition %d: ok: frames %d..%d, %d effect messages compared, %d customers, state %016x\n",
		c.partition, c.from, c.to, c.compared, c.customers, c.hash)
	if c.earlier && c.begins < c.from {
		fmt.Fprintf(out.out,
			"partition %d: frames %d..%d are not compared: no state of this version is from before them\n",
			c.partition, c.begins, c.from-1)
	}
}

func (c *comparison) run(ctx context.Context) (err error) {
	if c.events, err = c.log.Open(ctx, stream.EventStream(c.partition), stream.Options{MaxBytes: 1 << 20}); err != nil {
		return err
	}
	if c.effects, err = c.log.Open(
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
	shard, err := c.base(info)
	if err != nil {
		return err
	}
	c.from = shard.Applied().Seq + 1
	if shard.Applied().Seq == snapshot.Applied.Seq {
		if err := compare(shard, snapshot); err != nil {
			return err
		}
	}
	for seq := c.from; seq <= info.Last; seq++ {
		if err := c.step(ctx, shard, seq); err != nil {
			return err
		}
		if seq == snapshot.Applied.Seq {
			if err := compare(shard, snapshot); err != nil {
				return err
			}
		}
	}
	if shard.Applied().Seq < snapshot.Applied.Seq {
		return fmt.Errorf("the log ends at %d, the snapshot stands at %d", shard.Applied().Seq, snapshot.Applied.Seq)
	}
	return nil
}

// snapshot reads the snapshot's meta and checks its hash against what is stored.
func (c *comparison) snapshot() (shard.Meta, error) {
	var m shard.Meta
	stored, err := c.store.Get(storage.MetaKey(c.partition))
	if err != nil {
		return m, err
	}
	if stored != nil {
		if m, err = shard.DecodeMeta(stored); err != nil {
			return m, err
		}
	}
	sum := uint64(0)
	err = c.store.Scan(storage.CustomerPrefix(c.partition), func(_, value []byte) error {
		sum += xxhash.Sum64(value)
		c.customers++
		return nil
	})
	if err == nil {
		prefix := storage.ErasedPrefix(c.partition)
		err = c.store.Scan(prefix, func(key, _ []byte) error {
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

// base is the shard that the replay begins with: a new one, or one from the oldest
// checkpoint of this semantics whose next frame the log still has.
func (c *comparison) base(info stream.Info) (*shard.Shard, error) {
	info.First = max(info.First, c.rebased+1)
	c.begins, c.earlier = max(info.First, 1), c.genesis != effect.Semantics
	if info.First <= 1 && !c.earlier {
		return c.shard(), nil
	}
	names, err := storage.Checkpoints(c.dir)
	if err != nil {
		return nil, err
	}
	for _, path := range append(checkpointPaths(c.dir, names), "") {
		s := c.shard()
		err := recoverFrom(s, path, c.store)
		if errors.Is(err, shard.ErrSemantics) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if s.Applied().Seq+1 >= info.First {
			return s, nil
		}
	}
	if c.earlier {
		return nil, fmt.Errorf("%w: the stored customers have the hash that the snapshot says; to replay the log, use "+
			"the version that computed it", errEarlier)
	}
	return nil, fmt.Errorf("the log begins at %d; no checkpoint and no snapshot reaches it", info.First)
}

func rebasedTo(control []control.Record, partition int) (frame uint64) {
	for i := range control {
		if s := control[i].Skip; s != nil && s.Partition == partition {
			frame = max(frame, s.Rebased)
		}
	}
	return frame
}

func (c *comparison) shard() *shard.Shard {
	return shard.New(shard.Config{
		Partition: c.partition, Compile: c.compile, Skips: c.skips, EraseKey: c.eraseKey,
	})
}

func checkpointPaths(dir string, names []string) []string {
	paths := make([]string, len(names))
	for i, name := range names {
		paths[i] = storage.CheckpointPath(dir, name)
	}
	return paths
}

// recoverFrom loads a checkpoint; the empty path means the store itself.
func recoverFrom(shard *shard.Shard, path string, current storage.Store) error {
	if path == "" {
		return shard.Recover(current)
	}
	store, err := storage.OpenPebble(storage.PebbleConfig{Dir: path, ReadOnly: true})
	if err != nil {
		return err
	}
	return errors.Join(shard.Recover(store), store.Close())
}

// step applies one frame and compares what comes out with the effect stream.
func (c *comparison) step(ctx context.Context, s *shard.Shard, seq uint64) error {
	m, err := c.events.Get(ctx, seq)
	if err != nil {
		return err
	}
	in, err := shard.DecodeInput(m)
	if err != nil {
		return err
	}
	for done := false; !done; {
		var out effect.Effects
		if done, err = s.Step(&in, &out); err != nil {
			return err
		}
		var different error
		s.Encode(&out, func(n uint64, data []byte) {
			if n < c.first || n > c.last || different != nil {
				return // trimmed, or not written before the server stopped
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

// compare holds a shard against the snapshot of the same frame.
func compare(shard *shard.Shard, want shard.Meta) error {
	shard.Snapshot() // works the state hash out; the batch is dropped
	shard.Saved()
	got := shard.Meta()
	if got != want {
		return fmt.Errorf("replay gives %+v; the snapshot says %+v", got, want)
	}
	return nil
}
