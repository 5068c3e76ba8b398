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

// Limits of what a block holds and of how long its insert may take, and the pauses between attempts.
const (
	maxFrames   = 64   // frames of a partition in a block, unless configured
	maxMessages = 1024 // effect messages of a partition in a block; one frame may have more
	// maxBytes bounds the stored bytes of all partitions' frames in a block, and again
	// those of all their effect messages. Two blocks are in memory: one decoded, as
	// columns and as what is sent, the next one as columns.
	maxBytes    = 16 << 20
	backoffLow  = 250 * time.Millisecond // first pause after a failure; doubled each time
	backoffHigh = 30 * time.Second       // longest pause
	insertLimit = 2 * time.Minute        // for one table of a block
	stateLimit  = 15 * time.Second       // for reading or appending the state
	stateKeep   = 100                    // states after which the older ones are trimmed
)

// WriterConfig describes a writer.
type WriterConfig struct {
	Warehouse Warehouse
	// Sources are the logs, in order of the partitions.
	Sources []Source
	// State is the stream WH. The state of the writer is kept in the log and not in the
	// store, so that another server can go on.
	State stream.Stream
	// LogID is the id of the log, from its genesis record. It is part of every token, since several logs
	// can write into one warehouse.
	LogID string
	// Linger is the least time between the starts of two blocks, default 1 s. It bounds
	// how late rows are, and how many parts the engine has to merge.
	Linger time.Duration
	// MaxFrames is how many frames of a partition a block has at most, default 64.
	MaxFrames uint64
	Logger    *slog.Logger
	// Sequential makes the writer do one after the other what it does at once otherwise,
	// for the simulator, which must do the same each time.
	Sequential bool
}

// Writer moves blocks into the warehouse. Run must be called once; the other methods may
// be called concurrently with it.
type Writer struct {
	config     WriterConfig
	partitions []*partition
	// state is what was stored last. Between two saves it has what the next one will
	// store.
	state state
	saved uint64 // sequence of the last stored state
	// resent reports that the current block may be in the warehouse already, because an
	// earlier attempt or run may have sent it.
	resent bool
	usual  int // events of the last block that was read, and an eighth more
	// next is the block after the current one, if it was read while that one was sent;
	// else nil.
	next *prepared
	// positions and effects are, by partition, the last frame and the last effect message
	// that are written, for other goroutines.
	positions []atomic.Uint64
	effects   []atomic.Uint64
	rows      atomic.Uint64
	failures  atomic.Uint64
	gaps      atomic.Uint64
	health    health
}

// NewWriter returns a writer that is not running, with its state read from the log. A
// block that an earlier run has sealed is written first, and looked for in the warehouse
// before.
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
	// Whether the run that sealed it also sent it is not known.
	w.resent = w.state.Sealed != nil
	w.publishPositions()
	return w, nil
}

// Rows returns how many rows were written since the start.
func (w *Writer) Rows() uint64 { return w.rows.Load() }

// Failures returns how many attempts failed since the start.
func (w *Writer) Failures() uint64 { return w.failures.Load() }

// Gaps returns how many frames and effect messages were given up since the start.
func (w *Writer) Gaps() uint64 { return w.gaps.Load() }

// Run migrates the tables and then writes blocks until ctx ends. Whatever fails is tried
// again.
func (w *Writer) Run(ctx context.Context) {
	defer func() {
		for _, p := range w.partitions {
			p.events.close()
			p.effects.close()
		}
	}()
	// Nothing can be inserted before the tables are there.
	w.retry(ctx, "migrate", func() error { return w.health.note(w.config.Warehouse.Migrate(ctx)) })
	for ctx.Err() == nil {
		started := time.Now()
		full := false
		w.retry(ctx, "block", func() (err error) { full, err = w.block(ctx); return err })
		// There is more: a backlog is written without pauses. Otherwise waiting makes
		// blocks, and so the engine's parts, larger.
		if full {
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(max(0, w.config.Linger-time.Since(started))):
		}
	}
}

// retry repeats work until it succeeds or ctx ends, with growing pauses and some
// randomness in them, so that servers do not try at the same moments. what names the work
// in the log.
func (w *Writer) retry(ctx context.Context, what string, work func() error) {
	level := slog.LevelDebug // a first failure is usual while the engine starts
	for pause := backoffLow; ctx.Err() == nil; pause = min(2*pause, backoffHigh) {
		err := work()
		if err == nil || ctx.Err() != nil {
			return
		}
		w.failures.Add(1)
		// From the third failure on it is worth a warning.
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

// block writes one block; full reports that there is more at once. The steps: choose a
// range, seal it by storing it, take out of it what has left the log since, read its rows
// if they are not there yet, send them, and store that it is done. After a failure the
// next call goes on with the same sealed range.
func (w *Writer) block(ctx context.Context) (full bool, err error) {
	var r *rows
	// Choose a range, or take the one that was prepared, and seal it.
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
			// Nothing was sealed, unless another state was found in the log.
			if !errors.Is(err, stream.ErrWrongLast) {
				w.state.Sealed = nil
			}
			return false, err
		}
	}
	// Even a range that was just sealed can have been trimmed since.
	changed, err := w.excludeTrimmed(ctx)
	if err != nil {
		return false, err
	}
	if r == nil || changed {
		if r, err = w.read(ctx, w.state.Sealed, w.state.Block+1); err != nil {
			return false, err
		}
	}
	// Known only now that the frames were read; stored with the block.
	for _, l := range r.lost {
		w.recordLostFrame(l.partition, l.seq)
	}
	if err := w.sendAndPrepare(ctx, r, full); err != nil {
		// Any of the tables may have been inserted.
		w.resent = true
		return false, err
	}
	// The done positions move only when every table is in.
	before := w.state
	w.state.Done, w.state.Sealed, w.state.Block = merge(w.state.Done, w.state.Sealed), nil, w.state.Block+1
	if err := w.save(); err != nil {
		w.next = nil
		if !errors.Is(err, stream.ErrWrongLast) { // else the state was read anew
			w.state, w.resent = before, true
		}
		return false, err
	}
	// The block is done: what was kept for another attempt can go.
	for i, s := range w.state.Done {
		w.partitions[i].written(s)
	}
	w.resent = false
	w.publishPositions()
	return full, nil
}

// sendAndPrepare sends the tables of a block. If there is more, it sends them all at once
// and reads the next block meanwhile: the engine works while this process reads.
// Otherwise nobody waits for the rows, and one after the other leaves a processor for
// those who wait for something.
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
			// A failure here comes again when it is the block's turn.
			if err == nil {
				w.next = next
			}
		})
	}
	runAll(work, more && !w.config.Sequential)
	// A block that failed is sealed and comes next; the prepared one is chosen again
	// after it.
	if err := errors.Join(failures...); err != nil {
		w.next = nil
		return err
	}
	return nil
}

// runAll runs all of the work, at once or in order, and returns when it is done.
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
