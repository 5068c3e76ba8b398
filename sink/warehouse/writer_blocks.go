package warehouse

import (
	"context"
	"encoding/json"
	"fmt"
	"math"

	"github.com/cespare/xxhash/v2"

	"github.com/nudge-engine/nudge/internal/effect"
)

// merge moves the positions behind a block, also over what it had to leave out.
func merge(done, sealed []span) []span {
	next := append([]span(nil), done...)
	for i, s := range sealed {
		next[i].EventsTo = max(next[i].EventsTo, s.EventsTo)
		next[i].EffectsTo = max(next[i].EffectsTo, s.EffectsTo)
	}
	return next
}

// blockID is the value of the column block: the number of the block, in a range of its own for
// each log, because a warehouse can outlive a log.
func (w *Writer) blockID(n uint64) uint64 {
	return xxhash.Sum64String(w.config.LogID)>>32<<32 | n&math.MaxUint32
}

// spansHash identifies the range of the current block, so that two ranges never share a token.
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
	spans, more, err := w.nextSpans(ctx, done, ahead)
	if err != nil || spans == nil {
		return nil, err
	}
	r, err := w.read(ctx, spans, number)
	if err != nil {
		return nil, err
	}
	return &prepared{spans: spans, more: more, rows: r}, nil
}

// nextSpans finds the range of the next block; nil when there is nothing to write.
func (w *Writer) nextSpans(ctx context.Context, after []span, ahead bool) (spans []span, more bool, err error) {
	spans = make([]span, len(w.partitions))
	something := false
	for i, p := range w.partitions {
		done := after[i]
		s := span{EventsFrom: done.EventsTo + 1, EffectsFrom: done.EffectsTo + 1}
		acked := p.source.Acked()
		if err := w.skipTrimmed(ctx, p, &s, ahead); err != nil {
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
	frame, bytes := uint64(0), 0 // current frame; bytes taken
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
	p.prefetched, p.frames = nil, nil
}
