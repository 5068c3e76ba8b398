package warehouse

import (
	"context"
	"encoding/json"
	"fmt"
	"math"

	"github.com/cespare/xxhash/v2"

	"github.com/nudge-engine/nudge/internal/effect"
)

// merge returns the positions after a block. They move over the whole sealed range, also
// over what the block had to leave out.
func merge(done, sealed []span) []span {
	next := append([]span(nil), done...)
	for i, s := range sealed {
		next[i].EventsTo = max(next[i].EventsTo, s.EventsTo)
		next[i].EffectsTo = max(next[i].EffectsTo, s.EffectsTo)
	}
	return next
}

// blockID returns the value of the column block: the number of the block in the low half,
// and in the high half a hash of the log, because a warehouse can outlive a log.
func (w *Writer) blockID(n uint64) uint64 {
	return xxhash.Sum64String(w.config.LogID)>>32<<32 | n&math.MaxUint32
}

// spansHash identifies the range of the current block, so that two ranges never share a
// token.
func (w *Writer) spansHash() uint64 {
	b, err := json.Marshal(w.state.Sealed)
	if err != nil {
		panic(fmt.Sprintf("BUG: spans cannot be written: %v", err))
	}
	return xxhash.Sum64(b)
}

// prepared is a block that was read and is not sealed.
type prepared struct {
	spans []span
	more  bool // there is more after it
	rows  *rows
}

// prepare reads the block with a number, after the positions done; nil if there is
// nothing to write. ahead says that the block before it is still being sent. Then a gap
// is an error, and is left for later: recording it would change the state, which belongs
// to the other block.
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

// nextSpans chooses the range of the next block, nil if there is nothing to write. Each
// partition gets an equal share of the bytes, so that a busy one does not keep the others
// waiting. more reports that frames are left.
func (w *Writer) nextSpans(ctx context.Context, after []span, ahead bool) (spans []span, more bool, err error) {
	spans = make([]span, len(w.partitions))
	something := false
	for i, p := range w.partitions {
		done := after[i]
		s := span{EventsFrom: done.EventsTo + 1, EffectsFrom: done.EffectsTo + 1}
		// Asked before the streams are, so that the effects of these frames are all
		// there.
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

// takeFrames sets the frames of a span, up to last and about share bytes: at least one,
// if there is one.
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

// takeEffects sets the effect messages of a span: all of its frames, because they say
// which of the records were not applied. If these are too many for a block, the span gets
// fewer frames.
func (p *partition) takeEffects(ctx context.Context, s *span, share int) error {
	info, err := p.source.Effects.Info(ctx)
	if err != nil {
		return err
	}
	s.EffectsTo = s.EffectsFrom - 1
	frame, bytes := uint64(0), 0 // frame of the last message; bytes taken
	for n := s.EffectsFrom; n <= info.Last; n++ {
		m, err := p.message(ctx, n)
		if err != nil {
			return err
		}
		// Of a frame that is not in the block.
		if m.Seq > s.EventsTo {
			break
		}
		// A frame begins: does the block still have room for it?
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

// read reads the rows of a range, for the block with that number. Effect messages come
// first, because they say which records have no event row.
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
	// The next block will be about as large.
	n := len(r.events.Block)
	w.usual = n + n/8
	return r, nil
}

// rewind drops what is kept; the next read starts where it must. It follows a failure or
// a change of the range.
func (p *partition) rewind() {
	p.events.close()
	p.effects.close()
	p.prefetched, p.frames = nil, nil
}
