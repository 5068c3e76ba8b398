package actors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anthdm/hollywood/actor"
	"github.com/cespare/xxhash/v2"

	"github.com/nudge-engine/nudge/actors/recovery"
	"github.com/nudge-engine/nudge/actors/shard"
	"github.com/nudge-engine/nudge/storage"
	"github.com/nudge-engine/nudge/stream"
)

// Messages to a shard's actor, in the order of their arrival.
type (
	frameMessage    struct{ in shard.Input }         // the next frame of the log
	appendedMessage struct{ err error }              // an append to the effect stream was answered
	committed       struct{ err error }              // a snapshot was committed, or failed
	resume          struct{}                         // the pause after a failed append is over
	wake            struct{}                         // time passed: a tick or a snapshot may be due
	question        struct{ ask func(*shard.Owner) } // a caller of Engine wants to use the owner
)

// Pauses, time limits and sizes of a host. A tick every 20 ms would be most of an idle
// partition's log, so ticks keep a distance of their own; timers are then up to a quarter
// of a second late.
const (
	wakeEvery   = 20 * time.Millisecond  // quiet time after which a tick may be due
	tickEvery   = 250 * time.Millisecond // at least, between two ticks of a partition
	retryPause  = 100 * time.Millisecond // before a failed append or read is tried again
	askLimit    = 5 * time.Second        // for the answer to a question, or of a stream
	maxDirty    = 32 << 20               // bytes changed that make a snapshot due, without a memory limit
	minDirty    = 1 << 20                // the same at the least, with a small memory limit
	inboxLength = 64                     // initial; Hollywood doubles it, credits bound what matters
)

// host runs one owner inside a Hollywood actor and gives it its environment. A host lives
// until the engine stops or its shard panics; then another one takes its place.
type host struct {
	e         *Engine
	partition int
	owner     *shard.Owner // used by the actor's goroutine alone once it runs
	pid       *actor.PID
	log       *slog.Logger
	// credit has a token for each frame under way: the reader puts one in before it
	// reads, and applied takes one out.
	credit chan struct{}
	moved  chan struct{} // see Engine.Changed

	// Figures of the owner, kept here so that others can read them without a question.
	acked, saved, savedEffect, ctl atomic.Uint64
	snapshot                       atomic.Pointer[shard.Meta] // the last durable one
	halt                           atomic.Pointer[error]      // why the partition stopped

	// guarded reports that this host replaces one that panicked (shard.Config.Unguarded),
	// broken that it panicked itself and another one takes its place.
	guarded  bool
	broken   atomic.Bool
	commits  sync.WaitGroup     // snapshots on their way to the store
	ended    chan struct{}      // closed when its reader has ended
	stopRead context.CancelFunc // ends its reader

	// takeOver, if not nil, makes the snapshot one of this program's semantics. It is
	// committed before the shard recovers.
	takeOver *storage.Batch
	maxDirty int64 // bytes changed that make a snapshot due

	first uint64 // sequence of the frame to read first
	// end is where the log ended at the start. Until the shard has applied it, it
	// replays: it appends no ticks and does not say what may be sent.
	end uint64

	// The times are used by the actor's goroutine alone.
	lastTick time.Time
	lastSnap time.Time
	lastWork time.Time   // when the last frame came
	ticking  atomic.Bool // a wake-up is in the inbox
	stopWake chan struct{}
	stopOnce sync.Once
}

// newHost returns a host of a partition that is not started. The memory limit is shared
// equally among the partitions.
func newHost(e *Engine, partition int, guarded bool) *host {
	h := &host{
		e: e, partition: partition, guarded: guarded, maxDirty: maxDirty, ended: make(chan struct{}),
		credit: make(chan struct{}, credits), moved: make(chan struct{}, 1),
		stopWake: make(chan struct{}), log: e.config.Logger.With(slog.Int("partition", partition)),
	}
	limit := e.config.MemoryLimit / int64(len(e.config.Events))
	if e.config.MemoryLimit > 0 {
		limit = max(limit, 1)
		// Customers who changed cannot be passivated before they are saved, so a small
		// limit needs frequent snapshots.
		h.maxDirty = min(maxDirty, max(minDirty, limit/4))
	}
	config := shard.Config{
		Partition: partition, Compile: e.config.Compile, MemoryLimit: limit, Semantics: e.config.Semantics,
		Unguarded: !guarded,
		EraseKey:  e.config.EraseKey,
	}
	if e.config.Skips != nil {
		config.Skips = e.config.Skips[partition]
	}
	if mark := e.config.Mark; mark != nil {
		config.Mark = func(seq uint64, index int) { mark(partition, seq, index) }
	}
	s := shard.New(config)
	h.owner = shard.NewOwner(s, e.config.Node, h.env())
	return h
}

// env returns the environment of the owner. Its functions are called by the actor's
// goroutine; answers of streams and store come back as messages to the actor.
func (h *host) env() shard.Env {
	effects := h.e.config.Effects[h.partition]
	return shard.Env{
		Epoch: h.e.config.Epoch,
		Append: func(n uint64, data []byte) {
			effects.Append(stream.Append{Data: data, Conditional: true, After: n - 1}, func(_ uint64, err error) {
				h.send(appendedMessage{err})
			})
		},
		LastEffect: func() (uint64, error) {
			ctx, cancel := context.WithTimeout(context.Background(), askLimit)
			defer cancel()
			info, err := effects.Info(ctx)
			return info.Last, err
		},
		EffectHash: func(n uint64) (uint64, error) {
			ctx, cancel := context.WithTimeout(context.Background(), askLimit)
			defer cancel()
			m, err := effects.Get(ctx, n)
			return xxhash.Sum64(m.Data), err
		},
		EffectFrame: func(n uint64) (uint64, error) {
			ctx, cancel := context.WithTimeout(context.Background(), askLimit)
			defer cancel()
			return recovery.EffectFrame(ctx, effects, n)
		},
		Load: func(workspace, id string) ([]byte, error) {
			return h.e.config.Store.Get(storage.CustomerKey(h.partition, workspace, id))
		},
		Keys: func(workspace, after string, n int) ([]string, error) {
			return storage.CustomersAfter(h.e.config.Store, h.partition, workspace, after, n)
		},
		// A commit syncs the disk, so it runs beside the actor.
		Commit: func(b *storage.Batch) {
			h.lastSnap = time.Now()
			h.commits.Go(func() { h.send(committed{h.e.config.Store.Commit(b)}) })
		},
		// At once would only repeat the failure.
		Retry:   func() { time.AfterFunc(retryPause, func() { h.send(resume{}) }) },
		Applied: h.applied,
		Halt:    h.halts,
	}
}

// send puts a message into the actor's inbox. It never blocks.
func (h *host) send(message any) { h.e.actors.Send(h.pid, message) }

// applied publishes how far the owner is, and gives a credit back.
func (h *host) applied(shard.Position, int64) {
	h.acked.Store(h.owner.Acked().Seq)
	h.ctl.Store(h.owner.Shard.Control())
	select {
	// Nobody may be waiting, and one signal is as good as many.
	case h.moved <- struct{}{}:
	default:
	}
	select {
	case <-h.credit:
	default:
	}
}

// halts publishes why the partition stopped.
func (h *host) halts(err error) {
	h.halt.Store(&err)
	h.log.Error("actors: the partition halts", slog.Any("error", err))
	if h.e.config.OnHalt != nil {
		h.e.config.OnHalt(h.partition, err)
	}
}

// halted returns why the partition stopped, nil while it runs.
func (h *host) halted() error {
	if err := h.halt.Load(); err != nil {
		return *err
	}
	return nil
}

// recover prepares the partition before its actor runs: it rewrites a snapshot that is
// taken over, loads the snapshot, checks both streams against it, notes how many effects
// replay must give again, and finds out where to read on.
func (h *host) recover(ctx context.Context) error {
	if err := h.e.config.Held[h.partition]; err != nil {
		return err
	}
	// A crash after this commit finds a snapshot of this semantics and simply goes on.
	if h.takeOver != nil {
		if err := h.e.config.Store.Commit(h.takeOver); err != nil {
			return err
		}
	}
	if err := h.owner.Shard.Recover(h.e.config.Store); err != nil {
		return err
	}
	m := h.owner.Shard.Meta()
	if err := recovery.CheckEvents(ctx, h.e.config.Events[h.partition], m.Applied); err != nil {
		return err
	}
	if err := recovery.CheckEffects(ctx, h.e.config.Effects[h.partition], m.Emitted, m.LastHash); err != nil {
		return err
	}
	if err := recovery.CheckOrigin(ctx, h.e.config.Events[h.partition], h.e.config.Effects[h.partition]); err != nil {
		return err
	}
	if err := h.owner.Start(); err != nil {
		return err
	}
	info, err := h.e.config.Events[h.partition].Info(ctx)
	if err != nil {
		return err
	}
	h.first, h.end = m.Applied.Seq+1, info.Last
	h.acked.Store(m.Applied.Seq)
	h.saved.Store(m.Applied.Seq)
	h.savedEffect.Store(m.Emitted)
	h.snapshot.Store(&m)
	h.ctl.Store(m.Control)
	return nil
}

// start spawns the actor and begins to read. With a failure the partition halts instead.
func (h *host) start(failure error) {
	if failure != nil {
		h.owner.Halt(failure)
		close(h.ended)
		return
	}
	reading, stop := context.WithCancel(h.e.reading)
	h.stopRead = stop
	h.spawn()
	h.e.background.Go(func() {
		defer close(h.ended)
		h.read(reading)
	})
}

// spawn starts the actor. A panic must not reach Hollywood, which would drop the message,
// restart the actor without its state, and end the process at the fourth panic.
func (h *host) spawn() {
	guard := func(next actor.ReceiveFunc) actor.ReceiveFunc {
		return func(c *actor.Context) {
			// Another host has rebuilt the shard that these messages were for.
			if h.broken.Load() {
				return
			}
			defer func() {
				if p := recover(); p != nil {
					h.restartGuarded(p)
				}
			}()
			next(c)
		}
	}
	h.lastSnap = time.Now()
	h.pid = h.e.actors.SpawnFunc(h.receive, "shard", actor.WithID(strconv.Itoa(h.partition)),
		actor.WithInboxSize(inboxLength), actor.WithMaxRestarts(math.MaxInt32), actor.WithMiddleware(guard))
	h.e.background.Go(h.wakes)
}

// wakes sends a wake-up every wakeEvery, unless the last one is still in the inbox: a
// shard that is busy must not find thousands of them.
func (h *host) wakes() {
	ticker := time.NewTicker(wakeEvery)
	defer ticker.Stop()
	for {
		select {
		case <-h.stopWake:
			return
		case <-ticker.C:
			if h.ticking.CompareAndSwap(false, true) {
				h.send(wake{})
			}
		}
	}
}

// receive handles one message of the actor.
func (h *host) receive(c *actor.Context) {
	switch m := c.Message().(type) {
	case frameMessage:
		h.lastWork = time.Now()
		h.owner.Frame(m.in)
		// Customers who changed cannot be passivated, and a large snapshot takes long.
		if h.owner.Shard.DirtyBytes() > h.maxDirty {
			h.owner.Snapshot()
		}
	case appendedMessage:
		h.owner.Appended(m.err)
	case committed:
		h.owner.Committed(m.err)
		saved := h.owner.Saved()
		h.saved.Store(saved.Applied.Seq)
		h.savedEffect.Store(saved.Emitted)
		h.snapshot.Store(&saved)
	case resume:
		h.owner.Resume()
	case wake:
		h.ticking.Store(false)
		h.tick()
		h.owner.Passivate()
		if time.Since(h.lastSnap) > h.e.config.SnapshotEvery {
			h.owner.Snapshot()
		}
	case question:
		m.ask(h.owner)
	}
}

// tick appends a tick to the log if a timer is due and no frame has come for a while.
// Time passes only through the log, so that a replay sees it pass in the same way.
func (h *host) tick() {
	// While the log is replayed, the frames to come have the time in them.
	if h.owner.Shard.Applied().Seq < h.end {
		return
	}
	if h.owner.Halted() != nil || time.Since(h.lastWork) < wakeEvery ||
		time.Since(h.lastTick) < tickEvery && !h.owner.Shard.HasBulkScan() {
		return
	}
	due := h.owner.Shard.NextDue()
	if due == 0 {
		return
	}
	now, err := h.e.config.Clock()
	if err != nil || now < due {
		return
	}
	h.lastTick = time.Now()
	err = h.e.config.Publisher.Add(h.partition, []stream.Record{{Kind: stream.KindTick}}, func(error) {})
	if err != nil && !errors.Is(err, stream.ErrClosed) && !errors.Is(err, stream.ErrBusy) {
		h.log.Warn("actors: no tick", slog.Any("error", err))
	}
}

// ask runs a question inside the actor, between two of its messages, and returns its
// answer. f must be quick and keep nothing of the owner. Errors are those of f, of ctx,
// that the partition has halted, or that no answer came within askLimit; a later answer
// is dropped.
func ask[T any](ctx context.Context, h *host, f func(*shard.Owner) (T, error)) (value T, err error) {
	if err := h.halted(); err != nil {
		return value, err
	}
	answered := make(chan reply[T], 1)
	h.send(question{func(o *shard.Owner) {
		v, err := f(o)
		answered <- reply[T]{v, err}
	}})
	timer := time.NewTimer(askLimit)
	defer timer.Stop()
	select {
	case r := <-answered:
		return r.value, r.err
	case <-ctx.Done():
		return value, context.Cause(ctx)
	case <-timer.C:
		return value, fmt.Errorf("actors: partition %d did not answer in %v", h.partition, askLimit)
	}
}

// read gives the actor the frames of the log until ctx ends or the partition halts. A
// reader that fails is opened again where it stopped.
func (h *host) read(ctx context.Context) {
	defer h.stopOnce.Do(func() { close(h.stopWake) })
	next := h.first
	for ctx.Err() == nil && h.halted() == nil {
		reader, err := h.e.config.Events[h.partition].Read(ctx, next)
		if err == nil {
			next, err = h.readFrom(ctx, reader, next)
			reader.Close()
		}
		if err != nil && ctx.Err() == nil {
			h.log.Warn("actors: the log is read again", slog.Uint64("from", next), slog.Any("error", err))
			select {
			case <-ctx.Done():
			case <-time.After(retryPause):
			}
		}
	}
}

// readFrom reads frames, each after it got a credit, and returns the sequence to read
// next. A frame that cannot be decoded, or is not the next, halts the partition.
func (h *host) readFrom(ctx context.Context, reader stream.Reader, next uint64) (uint64, error) {
	for {
		select {
		case h.credit <- struct{}{}:
		case <-ctx.Done():
			return next, nil
		}
		m, err := reader.Next(ctx)
		if err != nil {
			<-h.credit
			return next, err
		}
		// The stream is durable, so reading the same message again would give the same
		// bytes.
		in, err := shard.DecodeInput(m)
		if err != nil || m.Seq != next {
			cause := fmt.Errorf("%w: sequence %d came where %d was due", shard.ErrContinuity, m.Seq, next)
			if err != nil {
				cause = fmt.Errorf("%w: frame %d cannot be read: %w", shard.ErrContinuity, m.Seq, err)
			}
			h.send(question{func(o *shard.Owner) { o.Halt(cause) }})
			return next, cause
		}
		h.send(frameMessage{in})
		next++
		if err := h.halted(); err != nil {
			return next, err
		}
	}
}

// drain lets the shard finish, takes a last snapshot and ends the actor. Its reader has
// ended.
func (h *host) drain(ctx context.Context) {
	if h.pid == nil || h.broken.Load() {
		return
	}
	// What is under way must be acknowledged before a snapshot can be taken.
	if h.quiet(ctx, false) && h.halted() == nil {
		if _, err := ask(
			ctx,
			h,
			func(o *shard.Owner) (struct{}, error) { o.Snapshot(); return struct{}{}, nil },
		); err == nil {
			h.quiet(ctx, true)
		}
	}
	h.stopActor()
}

// quiet waits until nothing is under way, with saved also until everything is in a
// snapshot, and reports whether that was reached.
func (h *host) quiet(ctx context.Context, saved bool) bool {
	for ctx.Err() == nil && h.halted() == nil {
		busy, err := ask(ctx, h, func(o *shard.Owner) (bool, error) {
			return o.Busy() || len(h.credit) > 0 || saved && o.Shard.Changed(), nil
		})
		if err != nil {
			return false
		}
		if !busy {
			return true
		}
		select {
		case <-ctx.Done():
		case <-time.After(5 * time.Millisecond):
		}
	}
	return false
}
