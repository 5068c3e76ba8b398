package warehouse

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/stream"
)

// Limits of a block and pauses of the writer.
const (
	maxFrames   = 64 // frames a partition and block, each at most 512 KiB
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
	Linger    time.Duration // least time between two blocks; default 500 ms
	Logger    *slog.Logger
}

// Writer moves blocks into the warehouse. Run runs it; the rest is safe for
// concurrent use.
type Writer struct {
	config     WriterConfig
	partitions []*partition
	state      state
	saved      uint64 // sequence of the last state
	resent     bool   // the block in hand was sealed by an earlier run
	positions  []atomic.Uint64
	effects    []atomic.Uint64
	rows       atomic.Uint64
	failures   atomic.Uint64
	gaps       atomic.Uint64
}

// state is what the log keeps: what is done, and the block that is sealed.
type state struct {
	Format int    `json:"format"`
	Block  uint64 `json:"block"`            // number of the last block done
	Done   []span `json:"done"`             // its ends; the next block begins behind them
	Sealed []span `json:"sealed,omitempty"` // block Block+1, when it is sealed
	Gaps   []Hole `json:"gaps,omitempty"`   // what was given up, at most the last 100
}

// Hole is a range of frames that left the log before it could be written.
type Hole struct {
	Partition int    `json:"partition"`
	From      uint64 `json:"from"`
	To        uint64 `json:"to"`
}

const stateFormat = 1

// NewWriter reads its position.
func NewWriter(c WriterConfig) (*Writer, error) {
	if c.Linger == 0 {
		c.Linger = 500 * time.Millisecond
	}
	w := &Writer{
		config:    c,
		positions: make([]atomic.Uint64, len(c.Sources)),
		effects:   make([]atomic.Uint64, len(c.Sources)),
	}
	for i, s := range c.Sources {
		w.partitions = append(w.partitions, &partition{
			number: i, source: s, events: cursor{stream: s.Events},
			effects: cursor{stream: s.Effects},
		})
	}
	w.state = state{Format: stateFormat, Done: make([]span, len(c.Sources))}
	if err := w.load(); err != nil {
		return nil, err
	}
	w.resent = w.state.Sealed != nil
	w.publish()
	return w, nil
}

// Position is the last frame of a partition whose rows are in the warehouse.
func (w *Writer) Position(partition int) uint64 { return w.positions[partition].Load() }

// EffectPosition is the last effect message of a partition that is there.
func (w *Writer) EffectPosition(partition int) uint64 { return w.effects[partition].Load() }

// Rows is how many rows were written since the start.
func (w *Writer) Rows() uint64 { return w.rows.Load() }

// Failures is how many attempts failed since the start.
func (w *Writer) Failures() uint64 { return w.failures.Load() }

// Gaps is how many frames were given up since the start.
func (w *Writer) Gaps() uint64 { return w.gaps.Load() }

func (w *Writer) publish() {
	for i, s := range w.state.Done {
		w.positions[i].Store(s.EventsTo)
		w.effects[i].Store(s.EffectsTo)
	}
}

// load reads the last state; whoever writes after us makes our next save fail.
func (w *Writer) load() error {
	ctx, cancel := context.WithTimeout(context.Background(), stateLimit)
	defer cancel()
	m, err := w.config.State.Last(ctx, "")
	if errors.Is(err, stream.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(m.Data, &w.state); err != nil {
		return fmt.Errorf("warehouse: position: %w", err)
	}
	if w.state.Format != stateFormat || len(w.state.Done) != len(w.partitions) {
		return fmt.Errorf("warehouse: position: format %d for %d partitions; this program reads format %d for %d",
			w.state.Format, len(w.state.Done), stateFormat, len(w.partitions))
	}
	w.saved = m.Seq
	return nil
}

// save appends the state behind the one that was loaded or saved last, so that of
// two writers one is refused.
func (w *Writer) save() error {
	b, err := json.Marshal(&w.state)
	if err != nil {
		return fmt.Errorf("warehouse: position: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), stateLimit)
	defer cancel()
	seq, err := stream.AppendWait(ctx, w.config.State, stream.Append{Data: b, Conditional: true, After: w.saved})
	if errors.Is(err, stream.ErrWrongLast) {
		// Our own append whose answer was lost, or another writer's: what is in the
		// log holds either way, and the next attempt goes on from there.
		w.state = state{Format: stateFormat, Done: make([]span, len(w.partitions))}
		w.resent = true
		return errors.Join(err, w.load())
	}
	if err != nil {
		return fmt.Errorf("warehouse: position: %w", err)
	}
	w.saved = seq
	if seq%stateKeep == 0 {
		return w.config.State.Trim(ctx, seq-1)
	}
	return nil
}

// Run writes blocks until ctx ends. Everything that fails is tried again.
func (w *Writer) Run(ctx context.Context) {
	defer func() {
		for _, p := range w.partitions {
			p.events.close()
			p.effects.close()
		}
	}()
	w.retry(ctx, "migrate", func() error { return w.config.Warehouse.Migrate(ctx) })
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
	if w.state.Sealed == nil {
		spans, more, err := w.choose(ctx)
		if err != nil || spans == nil {
			return false, err
		}
		full = more
		w.state.Sealed = spans
		if err := w.save(); err != nil {
			if !errors.Is(err, stream.ErrWrongLast) {
				w.state.Sealed = nil
			}
			return false, err
		}
	}
	r, err := w.read(ctx, w.state.Sealed)
	if err != nil {
		return false, err
	}
	for _, t := range r.tables() {
		if err := w.send(ctx, r.block, t); err != nil {
			w.resent = true
			return false, err
		}
	}
	w.state.Done, w.state.Sealed, w.state.Block = merge(w.state.Done, w.state.Sealed), nil, r.block
	if err := w.save(); err != nil {
		return false, err
	}
	for i, s := range w.state.Done {
		w.partitions[i].written(s.EffectsTo)
	}
	w.resent = false
	w.publish()
	return full, nil
}

func merge(done, sealed []span) []span {
	next := append([]span(nil), done...)
	for i, s := range sealed {
		if s.EventsTo >= s.EventsFrom {
			next[i].EventsFrom, next[i].EventsTo = s.EventsFrom, s.EventsTo
		}
		if s.EffectsTo >= s.EffectsFrom {
			next[i].EffectsFrom, next[i].EffectsTo = s.EffectsFrom, s.EffectsTo
		}
	}
	return next
}

// send inserts one table of a block. A block that may be there already is looked
// for first.
func (w *Writer) send(ctx context.Context, block uint64, t *Table) error {
	limited, cancel := context.WithTimeout(ctx, insertLimit)
	defer cancel()
	if w.resent {
		n, err := w.config.Warehouse.Has(limited, t.Name, block)
		if err != nil {
			return err
		}
		if n == uint64(t.Rows) {
			return nil
		}
		if n != 0 {
			return fmt.Errorf(
				"warehouse: block %d has %d of %d rows in %s; look into the table",
				block,
				n,
				t.Rows,
				t.Name,
			)
		}
	}
	token := fmt.Sprintf("%s-%d", w.config.LogID, block)
	if err := w.config.Warehouse.Insert(limited, token, t); err != nil {
		return err
	}
	w.rows.Add(uint64(t.Rows))
	return nil
}

// choose finds the range of the next block; nil when there is nothing to write.
func (w *Writer) choose(ctx context.Context) (spans []span, more bool, err error) {
	spans = make([]span, len(w.partitions))
	something := false
	for i, p := range w.partitions {
		done := w.state.Done[i]
		s := span{EventsFrom: done.EventsTo + 1, EffectsFrom: done.EffectsTo + 1}
		acked := p.source.Acked()
		events, err := p.source.Events.Info(ctx)
		if err != nil {
			return nil, false, err
		}
		if events.First > s.EventsFrom && acked >= events.First {
			w.note(i, &s, events.First)
		}
		s.EventsTo = max(min(acked, s.EventsFrom+maxFrames-1), s.EventsFrom-1)
		more = more || acked > s.EventsTo
		if s.EffectsTo, err = p.lastEffect(ctx, s); err != nil {
			return nil, false, err
		}
		spans[i] = s
		something = something || !s.empty()
	}
	if !something {
		return nil, false, nil
	}
	return spans, more, nil
}

// note records a gap: frames that were trimmed before they were written (R11).
func (w *Writer) note(partition int, s *span, first uint64) {
	w.gaps.Add(first - s.EventsFrom)
	w.state.Gaps = append(w.state.Gaps, Hole{Partition: partition, From: s.EventsFrom, To: first - 1})
	w.state.Gaps = w.state.Gaps[max(0, len(w.state.Gaps)-100):]
	w.config.Logger.Error("warehouse: frames left the log before they were written",
		slog.Int("partition", partition), slog.Uint64("from", s.EventsFrom), slog.Uint64("to", first-1))
	s.EventsFrom = first
}

// lastEffect is the last effect message that belongs to the frames of a span. It
// must find all of them, because they say which records were not applied.
func (p *partition) lastEffect(ctx context.Context, s span) (uint64, error) {
	info, err := p.source.Effects.Info(ctx)
	if err != nil {
		return 0, err
	}
	if info.First > s.EffectsFrom && info.Last >= info.First {
		return 0, fmt.Errorf("warehouse: partition %d: effect messages before %d are gone, %d is due", p.number,
			info.First, s.EffectsFrom)
	}
	last := s.EffectsFrom - 1
	for n := s.EffectsFrom; n <= info.Last; n++ {
		m, err := p.message(ctx, n)
		if err != nil {
			return 0, err
		}
		if m.Seq > s.EventsTo {
			break
		}
		last = n
	}
	return last, nil
}

// read builds the rows of a sealed range.
func (w *Writer) read(ctx context.Context, spans []span) (*rows, error) {
	r := &rows{block: w.state.Block + 1}
	for i, s := range spans {
		p := w.partitions[i]
		dropped := map[uint64]map[uint32]bool{}
		if err := p.messages(ctx, s, func(m *effect.Message) {
			r.message(i, m)
			for _, d := range m.Drops {
				if dropped[m.Seq] == nil {
					dropped[m.Seq] = map[uint32]bool{}
				}
				dropped[m.Seq][d.Index] = true
			}
		}); err != nil {
			p.rewind()
			return nil, err
		}
		if err := p.frames(ctx, s, r, dropped); err != nil {
			p.rewind()
			return nil, err
		}
	}
	return r, nil
}

// rewind forgets what was read ahead; the next read starts where it must.
func (p *partition) rewind() {
	p.events.close()
	p.effects.close()
	p.ahead = nil
}
