package warehouse

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/nudge-engine/nudge/campaign"
	"github.com/nudge-engine/nudge/internal/effect"
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
	// OneByOne does one after the other what is done at once otherwise: for the simulator,
	// which must do the same each time.
	OneByOne bool
}

// Writer moves blocks into the warehouse. Run runs it; the rest is safe for
// concurrent use.
type Writer struct {
	config     WriterConfig
	partitions []*partition
	state      state
	saved      uint64    // sequence of the last state
	resent     bool      // the block in hand was sealed by an earlier run
	usual      int       // events of the last block that was read, and some more
	next       *prepared // the block behind the one in hand, when it was read meanwhile
	positions  []atomic.Uint64
	effects    []atomic.Uint64
	rows       atomic.Uint64
	failures   atomic.Uint64
	gaps       atomic.Uint64
	health     health
}

// state is what the log keeps: what is done, and the block that is sealed.
type state struct {
	Format int    `json:"format"`
	Block  uint64 `json:"block"`            // number of the last block done
	Done   []span `json:"done"`             // its ends; the next block begins behind them
	Sealed []span `json:"sealed,omitempty"` // block Block+1, when it is sealed
	Gaps   []Hole `json:"gaps,omitempty"`   // what was given up, at most the last 100
}

// Hole is a range of messages that left the log before they could be written.
type Hole struct {
	Partition int    `json:"partition"`
	What      string `json:"what"` // frames or effects
	From      uint64 `json:"from"`
	To        uint64 `json:"to"`
}

const stateFormat = 1

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
			effects: cursor{stream: s.Effects}, names: campaign.Names{},
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

// Gaps is how many frames and effect messages were given up since the start.
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
		w.resent, w.next = true, nil
		err = errors.Join(err, w.load())
		w.publish()
		return err
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
	changed, err := w.shorten(ctx)
	if err != nil {
		return false, err
	}
	if r == nil || changed {
		if r, err = w.read(ctx, w.state.Sealed, w.state.Block+1); err != nil {
			return false, err
		}
	}
	for _, l := range r.lost {
		w.noteLost(l.partition, l.seq)
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
	w.publish()
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
	doAll(work, more && !w.config.OneByOne)
	if err := errors.Join(failures...); err != nil {
		w.next = nil
		return err
	}
	return nil
}

// doAll returns when all of the work is done.
func doAll(work []func(), atOnce bool) {
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

// shorten takes out of the sealed block what has left the log since: a gap (R11).
func (w *Writer) shorten(ctx context.Context) (changed bool, err error) {
	for i := range w.state.Sealed {
		s, p := &w.state.Sealed[i], w.partitions[i]
		if err := w.skipGaps(ctx, p, s, &changed); err != nil {
			return changed, err
		}
	}
	if !changed {
		return false, nil
	}
	w.resent = true
	return true, w.save()
}

// skipGaps moves the beginnings of a span behind what has left the log.
func (w *Writer) skipGaps(ctx context.Context, p *partition, s *span, changed *bool) error {
	left, err := p.left(ctx, s)
	if err != nil {
		return err
	}
	for _, l := range left {
		w.note(p.number, l.what, *l.from, l.first-1)
		*l.from, *changed = l.first, true
		*l.to = max(*l.to, *l.from-1)
		p.rewind()
	}
	return nil
}

// merge moves the positions behind a block, also over what it had to leave out.
func merge(done, sealed []span) []span {
	next := append([]span(nil), done...)
	for i, s := range sealed {
		next[i].EventsTo = max(next[i].EventsTo, s.EventsTo)
		next[i].EffectsTo = max(next[i].EffectsTo, s.EffectsTo)
	}
	return next
}

// blockID is what rows carry: the number of the block, in a range of its own for
// each log, because a warehouse can outlive a log.
func (w *Writer) blockID(n uint64) uint64 {
	return xxhash.Sum64String(w.config.LogID)>>32<<32 | n&math.MaxUint32
}

// spansHash names the range in hand, so that one token never stands for two.
func (w *Writer) spansHash() uint64 {
	b, err := json.Marshal(w.state.Sealed)
	if err != nil {
		panic(fmt.Sprintf("BUG: spans cannot be written: %v", err))
	}
	return xxhash.Sum64(b)
}

// prepared is a block that is read and not sealed.
type prepared struct {
	spans []span
	more  bool // there is more behind it
	rows  *rows
}

// prepare reads the block with that number, behind done; nil when there is nothing to
// write. ahead says that the block before it is still being sent: then it leaves a gap for
// later, because the state is not its own.
func (w *Writer) prepare(ctx context.Context, done []span, number uint64, ahead bool) (*prepared, error) {
	spans, more, err := w.choose(ctx, done, ahead)
	if err != nil || spans == nil {
		return nil, err
	}
	r, err := w.read(ctx, spans, number)
	if err != nil {
		return nil, err
	}
	return &prepared{spans: spans, more: more, rows: r}, nil
}

// errGap says that a part of the log left before it was written.
var errGap = errors.New("warehouse: a gap") //nudge:constant

// choose finds the range of the next block; nil when there is nothing to write.
func (w *Writer) choose(ctx context.Context, after []span, ahead bool) (spans []span, more bool, err error) {
	spans = make([]span, len(w.partitions))
	something := false
	for i, p := range w.partitions {
		done := after[i]
		s := span{EventsFrom: done.EventsTo + 1, EffectsFrom: done.EffectsTo + 1}
		acked := p.source.Acked()
		if err := w.beginning(ctx, p, &s, ahead); err != nil {
			return nil, false, err
		}
		share := maxBytes / len(w.partitions)
		if err := p.takeFrames(ctx, &s, min(acked, s.EventsFrom+w.config.MaxFrames-1), share); err != nil {
			return nil, false, err
		}
		if err := p.takeEffects(ctx, &s, share); err != nil {
			return nil, false, err
		}
		more = more || acked > s.EventsTo
		spans[i] = s
		something = something || !s.empty()
	}
	if !something {
		return nil, false, nil
	}
	return spans, more, nil
}

// beginning moves the beginning of a span behind what has left the log.
func (w *Writer) beginning(ctx context.Context, p *partition, s *span, ahead bool) error {
	gap := false
	if !ahead {
		return w.skipGaps(ctx, p, s, &gap)
	}
	left, err := p.left(ctx, s)
	if err == nil && len(left) > 0 {
		err = errGap
	}
	return err
}

// noteLost records a damaged frame once, however often its block is sent.
func (w *Writer) noteLost(partition int, seq uint64) {
	gap := Hole{Partition: partition, What: "frames", From: seq, To: seq}
	if !slices.Contains(w.state.Gaps, gap) {
		w.note(partition, gap.What, seq, seq)
	}
}

// note records a gap: messages that were trimmed before they were written (R11).
func (w *Writer) note(partition int, what string, from, to uint64) {
	w.gaps.Add(to - from + 1)
	w.state.Gaps = append(w.state.Gaps, Hole{Partition: partition, What: what, From: from, To: to})
	w.state.Gaps = w.state.Gaps[max(0, len(w.state.Gaps)-100):]
	w.config.Logger.Error("warehouse: messages left the log before they were written", slog.String("what", what),
		slog.Int("partition", partition), slog.Uint64("from", from), slog.Uint64("to", to))
}

// takeFrames finds the frames of a span: at least one, if there is one.
func (p *partition) takeFrames(ctx context.Context, s *span, last uint64, share int) error {
	s.EventsTo = s.EventsFrom - 1
	for bytes := 0; s.EventsTo < last && bytes < share; s.EventsTo++ {
		data, err := p.frame(ctx, s.EventsTo+1)
		if err != nil {
			return err
		}
		bytes += len(data)
	}
	return nil
}

// takeEffects finds the effect messages that belong to the frames of a span. It
// must find all of a frame's, because they say which records were not applied; so
// where there are too many for a block, the span takes fewer frames.
func (p *partition) takeEffects(ctx context.Context, s *span, share int) error {
	info, err := p.source.Effects.Info(ctx)
	if err != nil {
		return err
	}
	s.EffectsTo = s.EffectsFrom - 1
	frame, bytes := uint64(0), 0 // in hand; taken
	for n := s.EffectsFrom; n <= info.Last; n++ {
		m, err := p.message(ctx, n)
		if err != nil {
			return err
		}
		if m.Seq > s.EventsTo {
			break
		}
		if m.Seq != frame {
			frame = m.Seq
			if n-s.EffectsFrom >= maxMessages || bytes >= share {
				s.EventsTo = max(min(s.EventsTo, frame-1), s.EventsFrom-1)
				return nil
			}
		}
		s.EffectsTo = n
		bytes += m.bytes
	}
	return nil
}

// read builds the rows of a range, as those of the block with that number.
func (w *Writer) read(ctx context.Context, spans []span, number uint64) (*rows, error) {
	r := newRows(w.blockID(number), w.usual)
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
		if err := p.eventRows(ctx, s, r, dropped); err != nil {
			p.rewind()
			return nil, err
		}
	}
	n := len(r.events.Block)
	w.usual = n + n/8
	return r, nil
}

// rewind forgets what was read ahead; the next read starts where it must.
func (p *partition) rewind() {
	p.events.close()
	p.effects.close()
	p.ahead, p.frames = nil, nil
}
