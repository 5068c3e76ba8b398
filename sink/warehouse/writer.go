package warehouse

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/stream"
)

// Limits of a block and pauses of the writer.
const (
	maxFrames   = 64   // frames a partition and block, unless configured
	maxMessages = 1024 // effect messages a partition and block; one frame may have more
	// maxBytes is what all partitions' frames of a block, and as much again what all
	// their effect messages, may take as they are stored: two blocks are in memory whole,
	// one decoded, as columns and as what is sent, the next as columns.
	maxBytes    = 16 << 20
	backoffLow  = 250 * time.Millisecond
	backoffHigh = 30 * time.Second
	insertLimit = 2 * time.Minute
	stateLimit  = 15 * time.Second
	stateKeep   = 100 // states after which the older ones are trimmed
)

// WriterConfig is what a writer needs.
type WriterConfig struct {
	Warehouse Warehouse
	Sources   []Source      // by partition
	State     stream.Stream // where the position is kept; part of the log, so that another node can go on
	LogID     string        // part of every token
	Linger    time.Duration // least time between the starts of two blocks; default 1 s
	MaxFrames uint64        // frames a partition and block; default 64
	Logger    *slog.Logger
	// Sequential does one after the other what is done at once otherwise: for the simulator,
	// which must do the same each time.
	Sequential bool
}

// Writer moves blocks into the warehouse. Run runs it; the rest is safe for
// concurrent use.
type Writer struct {
	config     WriterConfig
	partitions []*partition
	state      state
	saved      uint64    // sequence of the last state
	resent     bool      // the current block was sealed by an earlier run
	usual      int       // events of the last block that was read, and some more
	next       *prepared // the block after the current one, if it was read meanwhile
	positions  []atomic.Uint64
	effects    []atomic.Uint64
	rows       atomic.Uint64
	failures   atomic.Uint64
	gaps       atomic.Uint64
	health     health
}

// NewWriter reads its position.
func NewWriter(c WriterConfig) (*Writer, error) {
	if c.Linger == 0 {
		c.Linger = time.Second
	}
	if c.MaxFrames == 0 {
		c.MaxFrames = maxFrames
	}
	w := &Writer{
		config:    c,
		positions: make([]atomic.Uint64, len(c.Sources)),
		effects:   make([]atomic.Uint64, len(c.Sources)),
	}
	for i, s := range c.Sources {
		w.partitions = append(w.partitions, &partition{
			number: i, source: s, events: cursor{stream: s.Events},
			effects: cursor{stream: s.Effects}, names: event.Names{},
		})
	}
	w.state = state{Format: stateFormat, Done: make([]span, len(c.Sources))}
	if err := w.load(); err != nil {
		return nil, err
	}
	w.resent = w.state.Sealed != nil
	w.publishPositions()
	return w, nil
}

// Rows is how many rows were written since the start.
func (w *Writer) Rows() uint64 { return w.rows.Load() }

// Failures is how many attempts failed since the start.
func (w *Writer) Failures() uint64 { return w.failures.Load() }

// Gaps is how many frames and effect messages were given up since the start.
func (w *Writer) Gaps() uint64 { return w.gaps.Load() }

// Run writes blocks until ctx ends. Everything that fails is tried again.
func (w *Writer) Run(ctx context.Context) {
	defer func() {
		for _, p := range w.partitions {
			p.events.close()
			p.effects.close()
		}
	}()
	w.retry(ctx, "migrate", func() error { return w.health.note(w.config.Warehouse.Migrate(ctx)) })
	for ctx.Err() == nil {
		started := time.Now()
		full := false
		w.retry(ctx, "block", func() (err error) { full, err = w.block(ctx); return err })
		if full {
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(max(0, w.config.Linger-time.Since(started))):
		}
	}
}

// retry repeats work until it succeeds or ctx ends, with growing pauses.
func (w *Writer) retry(ctx context.Context, what string, work func() error) {
	level := slog.LevelDebug // a first failure is usual while the engine starts
	for pause := backoffLow; ctx.Err() == nil; pause = min(2*pause, backoffHigh) {
		err := work()
		if err == nil || ctx.Err() != nil {
			return
		}
		w.failures.Add(1)
		if pause > 2*backoffLow {
			level = slog.LevelWarn
		}
		w.config.Logger.Log(
			ctx,
			level,
			"warehouse: it is tried again",
			slog.String("what", what),
			slog.Any("error", err),
		)
		select {
		case <-ctx.Done():
		case <-time.After(pause/2 + rand.N(pause)):
		}
	}
}

// block writes one block; full says that there is more at once. When it fails,
// the next call goes on with the same sealed range.
func (w *Writer) block(ctx context.Context) (full bool, err error) {
	var r *rows
	if w.state.Sealed == nil {
		next := w.next
		if w.next = nil; next == nil {
			if next, err = w.prepare(ctx, w.state.Done, w.state.Block+1, false); err != nil || next == nil {
				return false, err
			}
		}
		full, r = next.more, next.rows
		w.state.Sealed = next.spans
		if err := w.save(); err != nil {
			if !errors.Is(err, stream.ErrWrongLast) {
				w.state.Sealed = nil
			}
			return false, err
		}
	}
	changed, err := w.excludeTrimmed(ctx)
	if err != nil {
		return false, err
	}
	if r == nil || changed {
		if r, err = w.read(ctx, w.state.Sealed, w.state.Block+1); err != nil {
			return false, err
		}
	}
	for _, l := range r.lost {
		w.recordLostFrame(l.partition, l.seq)
	}
	if err := w.sendAndPrepare(ctx, r, full); err != nil {
		w.resent = true
		return false, err
	}
	before := w.state
	w.state.Done, w.state.Sealed, w.state.Block = merge(w.state.Done, w.state.Sealed), nil, w.state.Block+1
	if err := w.save(); err != nil {
		w.next = nil
		if !errors.Is(err, stream.ErrWrongLast) { // else the state was read anew
			w.state, w.resent = before, true
		}
		return false, err
	}
	for i, s := range w.state.Done {
		w.partitions[i].written(s)
	}
	w.resent = false
	w.publishPositions()
	return full, nil
}

// sendAndPrepare sends the tables of a block. Where there is more, it sends all at once
// and reads the next block meanwhile: the engine works while we read, and we read while it
// works. Else nobody waits for it, and one after the other leaves a core for those that do.
func (w *Writer) sendAndPrepare(ctx context.Context, r *rows, more bool) error {
	tables := r.tables()
	failures := make([]error, len(tables))
	var work []func()
	for i, t := range tables {
		work = append(work, func() { failures[i] = w.health.note(w.send(ctx, r.block, t)) })
	}
	if more {
		work = append(work, func() {
			next, err := w.prepare(ctx, merge(w.state.Done, w.state.Sealed), w.state.Block+2, true)
			if err == nil { // else it comes again when it is its turn
				w.next = next
			}
		})
	}
	runAll(work, more && !w.config.Sequential)
	if err := errors.Join(failures...); err != nil {
		w.next = nil
		return err
	}
	return nil
}

// runAll returns when all of the work is done.
func runAll(work []func(), atOnce bool) {
	if !atOnce {
		for _, do := range work {
			do()
		}
		return
	}
	var all sync.WaitGroup
	for _, do := range work {
		all.Go(do)
	}
	all.Wait()
}
