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

// EngineConfig is what an engine needs.
type EngineConfig struct {
	Events    []stream.Stream // EV_<p>
	Effects   []stream.Stream // FX_<p>
	Store     storage.Store
	Publisher *stream.Publisher
	Compile   shard.Compile
	Clock     func() (int64, error)
	Node      string // names this owner in claims
	Epoch     uint64 // grows with each owner
	Logger    *slog.Logger
	Skips     []control.Skips // by partition; nil: none
	EraseKey  []byte          // of the hashes of erased customers
	// Mark is Config.Mark, with the partition; nil: nobody wants to know.
	Mark func(partition int, seq uint64, index int)
	// Held are partitions that must not start, and why.
	Held map[int]error

	Semantics     uint64        // of the effects that are computed; default: this program's
	MemoryLimit   int64         // bytes of customers in memory, over all shards; 0: no limit
	SnapshotEvery time.Duration // default 5 s
	Checkpoints   time.Duration // how often a checkpoint is kept; default 10 min
	KeepBack      int           // how many checkpoints are kept; default 2
	// OnHalt is called once for each partition that stops.
	OnHalt func(partition int, err error)
}

// credits is how many frames a shard may have under way (C6).
const credits = 8

// Engine is the shell: it runs one Hollywood actor a shard and does what their
// owners ask for. Start it once; Stop is idempotent.
type Engine struct {
	config EngineConfig
	hosts  []atomic.Pointer[host] // by partition; a host is replaced after a panic
	actors *actor.Engine

	reading     context.Context //nolint:containedctx // ends with Stop; hosts are made anew under it
	stopReading context.CancelFunc
	stopOnce    sync.Once
	stopped     chan struct{}
	background  sync.WaitGroup
}

// NewEngine is an engine that is not running.
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

// Start recovers every shard, checks that the log is the one the snapshots were
// computed from, and begins to read. A partition that cannot start halts alone;
// the error is for what concerns all, as a log that gives no answer does.
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
		// Before any snapshot is rewritten: the old program must be able to start again.
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
		// Without an answer nothing is known of the partition: to halt it would need a
		// person to take it back.
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

// keepTakeOver keeps a checkpoint where partitions were taken over from another
// semantics: what comes after can be replayed from there, what came before cannot.
func (e *Engine) keepTakeOver(failures []error) error {
	for p := range e.hosts {
		if failures[p] == nil && e.host(p).takeOver != nil {
			e.config.Logger.Info("actors: goes on with what an earlier version computed", slog.Int("partition", p))
			return e.checkpoint(time.Now())
		}
	}
	return nil
}

func (e *Engine) checkpoint(at time.Time) error {
	return e.config.Store.Checkpoint(at.UTC().Format("20060102T150405.000Z"), e.config.KeepBack)
}

func (e *Engine) host(partition int) *host { return e.hosts[partition].Load() }

// checkpoints keeps a copy of the store now and then (R6).
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

// Stop stops reading, lets every shard finish what is under way, and takes a
// last snapshot. It gives up when ctx ends.
func (e *Engine) Stop(ctx context.Context) {
	e.stopOnce.Do(func() {
		defer close(e.stopped)
		if e.stopReading == nil {
			return
		}
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

// reply carries an answer out of a shard's actor.
type reply[T any] struct {
	value T
	err   error
}

// MayLeave asks the shard of a customer whether an attempt may be made now (R9).
// effect is the number of the message that carried the delivery. After a restart a
// shard knows nothing of deliveries and results that its replay has not come to
// yet, so it answers shard.ErrBehind until it is where the log ended at start.
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

// MayLeaveAll is MayLeave for deliveries of a partition that came together; effect is the
// last message that carried one of them. What it says no to must be asked one by one, to know why.
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

// View shows a customer; nil when there is none.
func (e *Engine) View(ctx context.Context, workspace, customer string) (*view.Customer, error) {
	return ask(ctx, e.hostOf(workspace, customer), func(o *shard.Owner) (*view.Customer, error) {
		return o.View(workspace, customer)
	})
}

// CheckContinuity looks whether the log still is the one that the last snapshot was
// computed from, and halts the partition when it is not (R7). Other errors say
// nothing about that.
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

// Halt stops a partition because of something found outside of it.
func (e *Engine) Halt(ctx context.Context, partition int, cause error) error {
	_, err := ask(ctx, e.host(partition), func(o *shard.Owner) (struct{}, error) {
		o.Halt(cause)
		return struct{}{}, nil
	})
	return err
}

// Halted is why a partition stopped, nil while it runs.
func (e *Engine) Halted(partition int) error { return e.host(partition).halted() }

// Acked is the last log sequence of a partition whose effects are acknowledged.
func (e *Engine) Acked(partition int) uint64 { return e.host(partition).acked.Load() }

// SavedSeq is the last log sequence of a partition that a durable snapshot covers.
func (e *Engine) SavedSeq(partition int) uint64 { return e.host(partition).saved.Load() }

// SavedEffect is the last effect message that a durable snapshot covers.
func (e *Engine) SavedEffect(partition int) uint64 { return e.host(partition).savedEffect.Load() }

// Control is the last control record that a partition applied.
func (e *Engine) Control(partition int) uint64 { return e.host(partition).ctl.Load() }

// Changed is signalled, best effort, whenever a partition's Acked or Control moves.
func (e *Engine) Changed(partition int) <-chan struct{} { return e.host(partition).moved }

func (e *Engine) hostOf(workspace, customer string) *host {
	return e.host(stream.PartitionOf(workspace, customer, len(e.hosts)))
}

// Stats asks a shard how it stands.
func (e *Engine) Stats(ctx context.Context, partition int) (shard.Stats, error) {
	return ask(ctx, e.host(partition), func(o *shard.Owner) (shard.Stats, error) { return o.Stats(), nil })
}
