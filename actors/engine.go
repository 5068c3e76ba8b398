package actors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anthdm/hollywood/actor"

	"github.com/nudge-engine/nudge/actors/recovery"
	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/actors/shard/view"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/storage"
	"github.com/nudge-engine/nudge/stream"
)

// EngineConfig describes an engine. Events and Effects have one stream a partition, in
// order.
type EngineConfig struct {
	// Events are the streams EV_<p>, the logs of the partitions.
	Events []stream.Stream
	// Effects are the streams FX_<p>, into which the shards' effects are appended.
	Effects []stream.Stream
	// Store keeps the snapshots of all partitions.
	Store storage.Store
	// Publisher appends ticks and backfill records to the logs.
	Publisher *stream.Publisher
	// Compile turns documents into campaigns and policies. The shards share it, so it
	// must be safe for concurrent use.
	Compile shard.Compile
	// Clock returns the time in ms since the epoch (stream.Clock). While it returns an
	// error no ticks are appended.
	Clock func() (int64, error)
	// Node names this owner in claims, and Epoch is that of its lease, which grows with
	// each owner.
	Node   string
	Epoch  uint64
	Logger *slog.Logger
	// Skips are the records that are passed over, by partition; nil means none.
	Skips []control.Skips
	// EraseKey is the secret key of the hashes of erased customers.
	EraseKey []byte
	// Mark is shard.Config.Mark with the partition; it may be nil. The actors of all
	// partitions call it concurrently.
	Mark func(partition int, seq uint64, index int)
	// Held are partitions that must not start, each with the reason: applying them has
	// ended the process several times, and no skip can help.
	Held map[int]error

	// Semantics is the version of what is computed; 0 means that of this program.
	Semantics uint64
	// MemoryLimit bounds the customers in memory over all shards, in bytes of their
	// estimated size; 0 means no limit.
	MemoryLimit int64
	// SnapshotEvery is the pause between snapshots of a shard, default 5 s. It bounds
	// what a restart has to replay.
	SnapshotEvery time.Duration
	// Checkpoints is the pause between checkpoints of the store, default 10 min; KeepBack
	// is how many are kept, default 2. A checkpoint costs little: Pebble's are hard
	// links.
	Checkpoints time.Duration
	KeepBack    int
	// OnHalt, if not nil, is called once for each partition that stops, from any
	// goroutine.
	OnHalt func(partition int, err error)
}

// credits is how many frames a shard may have under way (C6). A frame is under way until
// its effects are acknowledged. Hollywood's inboxes grow without a bound, so this is what
// bounds the memory when a shard is slower than its log.
const credits = 8

// Engine runs one Hollywood actor for each shard and does for it what its owner asks for.
// Start it once; its other methods may be called concurrently after that. Stop is
// idempotent.
type Engine struct {
	config EngineConfig
	// hosts are the running partitions, by number. A pointer is replaced after a panic;
	// it is set from Start on.
	hosts  []atomic.Pointer[host]
	actors *actor.Engine

	// reading ends with Stop. Readers run under it, also those of hosts that replace one
	// after a panic.
	reading     context.Context //nolint:containedctx // ends with Stop; hosts are made anew under it
	stopReading context.CancelFunc
	stopOnce    sync.Once
	stopped     chan struct{}  // closed when Stop has finished
	background  sync.WaitGroup // readers, wake-ups and checkpoints
}

// NewEngine returns an engine that is not running.
func NewEngine(c EngineConfig) *Engine {
	if c.SnapshotEvery == 0 {
		c.SnapshotEvery = 5 * time.Second
	}
	if c.Checkpoints == 0 {
		c.Checkpoints = 10 * time.Minute
	}
	if c.KeepBack == 0 {
		c.KeepBack = 2
	}
	if c.Semantics == 0 {
		c.Semantics = effect.Semantics
	}
	return &Engine{
		config: c, stopped: make(chan struct{}), hosts: make([]atomic.Pointer[host], len(c.Events)),
	}
}

// Start recovers every shard, checks that the log is the one that the snapshots were
// computed from, and begins to read it. It returns before the replay is done. A partition
// that cannot start halts alone; an error is returned for what concerns all, as a state
// of another semantics or a log that does not answer does.
//
// The steps: plan the takeover of every partition, before anything is written; recover
// the partitions at the same time; keep a checkpoint if semantics changed; start the
// actors.
func (e *Engine) Start(ctx context.Context) error {
	engine, err := actor.NewEngine(actor.NewEngineConfig())
	if err != nil {
		return fmt.Errorf("actors: %w", err)
	}
	e.actors = engine
	failures := make([]error, len(e.config.Events))
	for p := range e.config.Events {
		h := newHost(e, p, false)
		e.hosts[p].Store(h)
		h.takeOver, failures[p] = recovery.PlanTakeOver(ctx, e.config.Store, p, e.config.Semantics, e.config.Events[p],
			e.config.Effects[p])
		if failures[p] == nil && h.takeOver != nil {
			failures[p] = recovery.CheckDefinitions(e.config.Store, p, e.config.Compile)
		}
		// No snapshot has been rewritten yet, so the old program can start again.
		if errors.Is(failures[p], shard.ErrSemantics) {
			return failures[p]
		}
	}
	var wg sync.WaitGroup
	for p := range e.hosts {
		if failures[p] == nil {
			wg.Go(func() { failures[p] = e.host(p).recover(ctx) })
		}
	}
	wg.Wait()
	if err := e.keepTakeOver(failures); err != nil {
		return err
	}
	for _, err := range failures {
		// Without an answer of the log nothing is known of the partition. To halt it
		// would need a person to take it back, where another start would do.
		if errors.Is(err, shard.ErrSemantics) || errors.Is(err, stream.ErrNoAnswer) {
			return err
		}
	}
	e.reading, e.stopReading = context.WithCancel(context.WithoutCancel(ctx))
	for p := range e.hosts {
		e.host(p).start(failures[p])
	}
	e.background.Go(func() { e.checkpoints(e.reading) })
	return nil
}

// keepTakeOver keeps a checkpoint if partitions were taken over from another semantics.
// What comes after can be replayed from there; what came before cannot be computed by
// this program.
func (e *Engine) keepTakeOver(failures []error) error {
	for p := range e.hosts {
		if failures[p] == nil && e.host(p).takeOver != nil {
			e.config.Logger.Info("actors: goes on with what an earlier version computed", slog.Int("partition", p))
			return e.checkpoint(time.Now())
		}
	}
	return nil
}

// checkpoint keeps a copy of the store, named by its time so that names sort by age.
func (e *Engine) checkpoint(at time.Time) error {
	return e.config.Store.Checkpoint(at.UTC().Format("20060102T150405.000Z"), e.config.KeepBack)
}

// host returns the present host of a partition. It must not be kept: a panic replaces it.
func (e *Engine) host(partition int) *host { return e.hosts[partition].Load() }

// checkpoints keeps a copy of the store now and then, from which an earlier state can be
// replayed. A failure is logged and does not stop the engine: the store itself is not
// affected.
func (e *Engine) checkpoints(ctx context.Context) {
	ticker := time.NewTicker(e.config.Checkpoints)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case at := <-ticker.C:
			if err := e.checkpoint(at); err != nil {
				e.config.Logger.Error("actors: no checkpoint", slog.Any("error", err))
			}
		}
	}
}

// Stop stops reading, lets every shard finish what is under way, and takes a last
// snapshot, so that the next start has nothing to replay. It gives up when ctx ends;
// nothing is lost then, because the log has it. Further calls wait for the first.
func (e *Engine) Stop(ctx context.Context) {
	e.stopOnce.Do(func() {
		defer close(e.stopped)
		if e.stopReading == nil {
			return
		}
		// First nothing new comes in, then what is under way is finished.
		e.stopReading()
		e.background.Wait()
		var wg sync.WaitGroup
		for p := range e.hosts {
			wg.Go(func() { e.host(p).drain(ctx) })
		}
		wg.Wait()
	})
	<-e.stopped
}

// reply is the answer to a question, on its way out of a shard's actor.
type reply[T any] struct {
	value T
	err   error
}

// MayLeave asks the shard of a delivery's customer whether an attempt may be made now.
// effect is the number of the effect message that carried the delivery. After a restart a
// shard knows nothing of the results that its replay has not come to, so until it is
// where the log ended at the start the error is shard.ErrBehind, and the caller must ask
// again. If the customer merged into another, the shard of that one decides.
func (e *Engine) MayLeave(ctx context.Context, d *output.Delivery, effect uint64) (bool, error) {
	h := e.hostOf(d.Workspace, d.Customer)
	var into string
	may, err := ask(ctx, h, func(o *shard.Owner) (bool, error) {
		var may bool
		var err error
		may, into, err = o.MayLeave(d, effect, h.end)
		return may, err
	})
	if err != nil || into == "" {
		return may, err
	}
	return e.mayLeaveMerged(ctx, d, into)
}

// MayLeaveAll asks as MayLeave does for deliveries of one partition that came together;
// effect is the last message that carried one of them. false means no, or not known: the
// caller must ask with MayLeave to learn which. nil means that the shard did not answer.
func (e *Engine) MayLeaveAll(ctx context.Context, partition int, all []output.Delivery, effect uint64) []bool {
	h := e.host(partition)
	answers, err := ask(ctx, h, func(o *shard.Owner) ([]bool, error) {
		answers := make([]bool, len(all))
		for i := range all {
			answers[i], _, _ = o.MayLeave(&all[i], effect, h.end)
		}
		return answers, nil
	})
	if err != nil {
		return nil
	}
	return answers
}

// View returns a customer as people see it, nil if there is none.
func (e *Engine) View(ctx context.Context, workspace, customer string) (*view.Customer, error) {
	return ask(ctx, e.hostOf(workspace, customer), func(o *shard.Owner) (*view.Customer, error) {
		return o.View(workspace, customer)
	})
}

// CheckContinuity checks that the log still is the one that the last snapshot was
// computed from, and halts the partition if it is not. The server calls it before each
// trim, which would remove the evidence. An error that is not shard.ErrContinuity says
// nothing about the log.
func (e *Engine) CheckContinuity(ctx context.Context, partition int) error {
	m := e.host(partition).snapshot.Load()
	if m == nil {
		return e.Halted(partition)
	}
	err := recovery.CheckEvents(ctx, e.config.Events[partition], m.Applied)
	if err == nil {
		err = recovery.CheckEffects(ctx, e.config.Effects[partition], m.Emitted, m.LastHash)
	}
	if err == nil {
		err = recovery.CheckOrigin(ctx, e.config.Events[partition], e.config.Effects[partition])
	}
	if errors.Is(err, shard.ErrContinuity) {
		return errors.Join(err, e.Halt(ctx, partition, err))
	}
	return err
}

// Halt stops a partition because of something that was found outside of it. The error is
// about the asking, not the cause.
func (e *Engine) Halt(ctx context.Context, partition int, cause error) error {
	_, err := ask(ctx, e.host(partition), func(o *shard.Owner) (struct{}, error) {
		o.Halt(cause)
		return struct{}{}, nil
	})
	return err
}

// Halted returns why a partition stopped, nil while it runs.
func (e *Engine) Halted(partition int) error { return e.host(partition).halted() }

// Acked returns the sequence of the last frame of a partition whose effects are all
// acknowledged. Sinks may read the effects of the frames up to it.
func (e *Engine) Acked(partition int) uint64 { return e.host(partition).acked.Load() }

// SavedSeq returns the sequence of the last frame that a durable snapshot covers. The log
// before it is not needed for a recovery.
func (e *Engine) SavedSeq(partition int) uint64 { return e.host(partition).saved.Load() }

// SavedEffect returns the number of the last effect message that a durable snapshot
// covers.
func (e *Engine) SavedEffect(partition int) uint64 { return e.host(partition).savedEffect.Load() }

// Control returns the number of the last control record that a partition applied.
func (e *Engine) Control(partition int) uint64 { return e.host(partition).ctl.Load() }

// Changed returns a channel that receives when Acked or Control of a partition has moved.
// It holds one value, so a receiver must read the figures again and not count.
func (e *Engine) Changed(partition int) <-chan struct{} { return e.host(partition).moved }

// hostOf returns the host of a customer's partition.
func (e *Engine) hostOf(workspace, customer string) *host {
	return e.host(stream.PartitionOf(workspace, customer, len(e.hosts)))
}

// Stats returns figures of a shard for metrics.
func (e *Engine) Stats(ctx context.Context, partition int) (shard.Stats, error) {
	return ask(ctx, e.host(partition), func(o *shard.Owner) (shard.Stats, error) { return o.Stats(), nil })
}
