package warehouse

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/effect"
	"github.com/nudge-engine/nudge/stream"
)

// Source is the log of one partition as the warehouse reads it.
type Source struct {
	Events  stream.Stream
	Effects stream.Stream
	// Acked returns the last frame whose effects are all in the effect stream. Later
	// frames must wait, because only their effects say which of their records were
	// applied.
	Acked func() uint64
}

// span is the range of messages of one partition that a block holds, ends included. From
// is one more than To if it holds none.
type span struct {
	EventsFrom  uint64 `json:"ev_from"` // sequences of frames
	EventsTo    uint64 `json:"ev_to"`
	EffectsFrom uint64 `json:"fx_from"` // sequences of effect messages
	EffectsTo   uint64 `json:"fx_to"`
}

// empty reports whether the span holds no message.
func (s span) empty() bool { return s.EventsTo < s.EventsFrom && s.EffectsTo < s.EffectsFrom }

// partition reads one source, mostly in order.
//
// To choose the range of a block, messages must be read before it is known whether they
// are part of it. They are kept, and so is what was read for the block after the current
// one, until written drops them.
type partition struct {
	number     int
	source     Source
	events     cursor
	effects    cursor
	prefetched []readMessage    // effect messages read and not written, numbered without gaps
	frames     []stream.Message // frames read and not written, numbered without gaps
	names      event.Names      // strings that the effect messages repeat
}

// readMessage is an effect message with its encoded length.
type readMessage struct {
	*effect.Message
	bytes int
}

// lostFrame is a frame that the disk damaged after it was applied and before its rows
// were written.
type lostFrame struct {
	partition int
	seq       uint64
}

// cursor reads a stream forward, and opens another reader when it must start elsewhere.
type cursor struct {
	stream stream.Stream
	reader stream.Reader // nil if none is open
	next   uint64        // sequence of the message that it returns next
}

// readLimit is how long a message that is in the stream may take to come. To read it
// again is harmless; to wait without a limit would delay every later row.
const readLimit = 30 * time.Second

// get returns message seq, which must be in the stream.
func (c *cursor) get(ctx context.Context, seq uint64) (stream.Message, error) {
	// Blocks follow each other, so a reader is opened rarely.
	if c.reader == nil || c.next != seq {
		c.close()
		r, err := c.stream.Read(ctx, seq)
		if err != nil {
			return stream.Message{}, err
		}
		c.reader, c.next = r, seq
	}
	limited, cancel := context.WithTimeoutCause(ctx, readLimit,
		fmt.Errorf("warehouse: message %d did not come within %v", seq, readLimit))
	m, err := c.reader.Next(limited)
	cancel()
	if err == nil && m.Seq != seq {
		err = fmt.Errorf("warehouse: message %d came where %d was due", m.Seq, seq)
	}
	if err != nil {
		c.close()
		return stream.Message{}, err
	}
	c.next++
	return m, nil
}

// close closes the reader, if one is open. The next get opens another.
func (c *cursor) close() {
	if c.reader != nil {
		c.reader.Close()
		c.reader = nil
	}
}

// trimmedRange says that the messages of a span before first have left the log.
type trimmedRange struct {
	what     string  // frames or effects
	from, to *uint64 // fields of the span
	first    uint64  // the first that is still there
}

// trimmed returns what has left the log of a span, frames and effect messages apart.
func (p *partition) trimmed(ctx context.Context, s *span) (all []trimmedRange, err error) {
	events, err := p.source.Events.Info(ctx)
	if err != nil {
		return nil, err
	}
	effects, err := p.source.Effects.Info(ctx)
	if err != nil {
		return nil, err
	}
	// Last is 0 only in a stream that never had a message: nothing can be missing.
	if events.First > s.EventsFrom && events.Last != 0 {
		all = append(all, trimmedRange{"frames", &s.EventsFrom, &s.EventsTo, events.First})
	}
	if effects.First > s.EffectsFrom && effects.Last != 0 {
		all = append(all, trimmedRange{"effects", &s.EffectsFrom, &s.EffectsTo, effects.First})
	}
	return all, nil
}

// eventRows adds the event rows of a span to r. dropped says, by frame and index, which
// records were not applied.
func (p *partition) eventRows(ctx context.Context, s span, r *rows, dropped map[uint64]map[uint32]bool) error {
	for seq := s.EventsFrom; seq <= s.EventsTo; seq++ {
		data, err := p.frame(ctx, seq)
		if err != nil {
			return err
		}
		f, err := stream.DecodeFrame(data)
		if err != nil {
			return err
		}
		// A frame that was lost before it was applied is dropped by a skip and had no
		// rows to lose.
		if len(f.Records) == 1 && f.Records[0].Kind == stream.KindLost && !dropped[seq][0] {
			r.lost = append(r.lost, lostFrame{p.number, seq})
		}
		if err := r.frame(p.number, seq, &f, dropped[seq]); err != nil {
			return err
		}
		// Rows come in bursts, and events that a client waits for go first.
		runtime.Gosched()
	}
	return nil
}

// frame returns the bytes of frame seq, as kept or read.
func (p *partition) frame(ctx context.Context, seq uint64) ([]byte, error) {
	if k := len(p.frames); k > 0 && seq >= p.frames[0].Seq && seq <= p.frames[k-1].Seq {
		return p.frames[seq-p.frames[0].Seq].Data, nil
	}
	m, err := p.events.get(ctx, seq)
	if err != nil {
		return nil, err
	}
	// The kept frames must be without gaps, to be found by their position.
	if k := len(p.frames); k > 0 && p.frames[k-1].Seq+1 != seq {
		p.frames = nil
	}
	p.frames = append(p.frames, m)
	return m.Data, nil
}

// messages calls use with the effect messages of a span.
func (p *partition) messages(ctx context.Context, s span, use func(*effect.Message)) error {
	for n := s.EffectsFrom; n <= s.EffectsTo; n++ {
		m, err := p.message(ctx, n)
		if err != nil {
			return err
		}
		use(m.Message)
		runtime.Gosched()
	}
	return nil
}

// message returns effect message n, as kept or read.
func (p *partition) message(ctx context.Context, n uint64) (m readMessage, err error) {
	if k := len(p.prefetched); k > 0 && n >= p.prefetched[0].N && n <= p.prefetched[k-1].N {
		return p.prefetched[n-p.prefetched[0].N], nil
	}
	raw, err := p.effects.get(ctx, n)
	if err != nil {
		return m, err
	}
	decoded, err := effect.DecodeShared(raw.Data, p.names)
	if err != nil {
		return m, err
	}
	if decoded.N != n {
		return m, fmt.Errorf("warehouse: effect message %d is at position %d", decoded.N, n)
	}
	// The kept messages must be without gaps, to be found by their position.
	if k := len(p.prefetched); k > 0 && p.prefetched[k-1].N+1 != n {
		p.prefetched = nil
	}
	m = readMessage{&decoded, len(raw.Data)}
	p.prefetched = append(p.prefetched, m)
	return m, nil
}

// written drops the messages that were kept for a block, once the block is written.
func (p *partition) written(s span) {
	for len(p.prefetched) > 0 && p.prefetched[0].N <= s.EffectsTo {
		// So that the garbage collector can take it before the slice goes.
		p.prefetched[0] = readMessage{}
		p.prefetched = p.prefetched[1:]
	}
	for len(p.frames) > 0 && p.frames[0].Seq <= s.EventsTo {
		p.frames[0] = stream.Message{}
		p.frames = p.frames[1:]
	}
}
