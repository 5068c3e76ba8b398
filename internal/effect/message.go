package effect

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/internal/wire"
)

// Semantics is the version of what this program computes from a log. It changes when the
// code of the engine or of campaign computes something else from the same log. A server
// continues a state of another version only where nothing of the log is left to replay:
// what it computed anew would differ from the effects that are already written.
const Semantics = 2

// MessageFormat is the version of effect messages, which is their first byte.
const MessageFormat = 1

// MaxMessage is the greatest size of an effect message in bytes; streams are set up for
// that size.
const MaxMessage = 512 << 10

// An effect message, version 1:
//
//	format byte, n, log sequence, part, semantics (varints), now (zigzag varint),
//	then rows: a tag byte, a length, that many bytes.
//
// Tags: D delivery, d decision, C chain, G goal, X drop, L dead letter, T transfer. The rows
// of a tag keep their order. Effects that do not fit one message go on in the
// next; the cut depends on the bytes alone, so that it is the same at each run.
const (
	tagDelivery   = 'D'
	tagDecision   = 'd'
	tagChain      = 'C'
	tagGoal       = 'G'
	tagDrop       = 'X'
	tagDeadLetter = 'L'
	tagTransfer   = 'T'
)

// Message is one decoded effect message. N is its number, which is also its sequence in the
// stream.
type Message struct {
	N uint64
	Effects
}

// splitter cuts effects into messages.
type splitter struct {
	// next is the number of the message that is being filled.
	next uint64
	// header has what every message begins with: Seq, Part, Now, Semantics.
	header Effects
	// buf is the message that is being filled; its memory is used again for the next one.
	buf  []byte
	emit func(n uint64, data []byte)
}

// Encoder encodes effects. It keeps the memory that it needs, so one Encoder is used for
// many; it belongs to one goroutine. The zero value is ready to use.
type Encoder struct{ message, row []byte }

// Encode writes e as messages numbered from next on, and calls emit for each with bytes
// that emit may keep. It returns the number after the last one. Empty effects make no
// message.
//
// The same effects always give the same messages, byte for byte: after a crash they are
// computed again and compared with those that were stored.
func (c *Encoder) Encode(e *Effects, next uint64, emit func(n uint64, data []byte)) uint64 {
	header := Effects{Seq: e.Seq, Part: e.Part, Now: e.Now, Semantics: e.Semantics}
	s := &splitter{next: next, header: header, buf: c.message[:0], emit: emit}
	row := c.row
	for i := range e.Deliveries {
		row = appendDeliveryTail(e.Deliveries[i].AppendTo(row[:0]), &e.Deliveries[i])
		s.row(tagDelivery, row)
	}
	for i := range e.Decisions {
		row = appendDecision(row[:0], &e.Decisions[i])
		s.row(tagDecision, row)
	}
	for i := range e.Chains {
		row = appendChain(row[:0], &e.Chains[i])
		s.row(tagChain, row)
	}
	for i := range e.Goals {
		row = appendGoal(row[:0], &e.Goals[i])
		s.row(tagGoal, row)
	}
	for i := range e.Drops {
		row = wire.AppendUint(row[:0], uint64(e.Drops[i].Index))
		row = wire.AppendString(row, string(e.Drops[i].Reason))
		s.row(tagDrop, row)
	}
	for i := range e.DeadLetters {
		row = appendDeadLetter(row[:0], &e.DeadLetters[i])
		s.row(tagDeadLetter, row)
	}
	for i := range e.Transfers {
		row = e.Transfers[i].AppendTo(row[:0])
		s.row(tagTransfer, row)
	}
	s.flush()
	c.message, c.row = s.buf, row
	return s.next
}

// row adds a row to the current message, or begins the next message where it does not fit.
func (s *splitter) row(tag byte, row []byte) {
	// A row costs its bytes, a tag and a length of at most ten bytes.
	if len(s.buf) > 0 && len(s.buf)+len(row)+11 > MaxMessage {
		s.flush()
	}
	if len(s.buf) == 0 {
		s.buf = append(s.buf, MessageFormat)
		s.buf = wire.AppendUint(s.buf, s.next)
		s.buf = wire.AppendUint(s.buf, s.header.Seq)
		s.buf = wire.AppendUint(s.buf, uint64(s.header.Part))
		s.buf = wire.AppendUint(s.buf, s.header.Semantics)
		s.buf = wire.AppendInt(s.buf, s.header.Now)
	}
	s.buf = append(s.buf, tag)
	s.buf = wire.AppendBytes(s.buf, row)
}

// flush emits the current message, if it has any row.
func (s *splitter) flush() {
	if len(s.buf) == 0 {
		return
	}
	s.emit(s.next, bytes.Clone(s.buf))
	s.buf = s.buf[:0]
	s.next++
}

// appendDecision appends the stored form of a decision.
func appendDecision(b []byte, d *output.Decision) []byte {
	for _, s := range [...]string{
		d.Workspace, d.Campaign, d.Customer, d.Key, d.Step, string(d.Kind),
		string(d.Reason), d.Detail, d.EventID,
	} {
		b = wire.AppendString(b, s)
	}
	b = wire.AppendUint(b, uint64(d.Version))
	b = wire.AppendUint(b, uint64(d.Entry))
	return wire.AppendInt(b, d.At)
}

// appendChain appends the stored form of a chain's row.
func appendChain(b []byte, c *output.ChainRow) []byte {
	for _, s := range [...]string{c.Workspace, c.Campaign, c.Customer, c.Key, string(c.Outcome), c.Goal} {
		b = wire.AppendString(b, s)
	}
	b = wire.AppendUint(b, uint64(c.Version))
	b = wire.AppendUint(b, uint64(c.Entry))
	b = wire.AppendInt(b, c.EnteredAt)
	b = wire.AppendInt(b, c.EndedAt)
	b = wire.AppendInt(b, int64(c.Value))
	return appendChainTail(wire.AppendBool(b, c.HasValue), c)
}

// appendGoal appends the stored form of a goal's row.
func appendGoal(b []byte, g *output.GoalRow) []byte {
	for _, s := range [...]string{g.Workspace, g.Campaign, g.Customer, g.Key, g.Goal, g.Step, g.Currency, g.EventID} {
		b = wire.AppendString(b, s)
	}
	b = wire.AppendUint(b, uint64(g.Version))
	b = wire.AppendUint(b, uint64(g.Entry))
	b = wire.AppendInt(b, int64(g.Value))
	b = wire.AppendBool(b, g.HasValue)
	return appendGoalTail(wire.AppendInt(b, g.At), g)
}

// appendDeadLetter appends the stored form of a dead letter.
func appendDeadLetter(b []byte, l *DeadLetter) []byte {
	for _, s := range [...]string{l.Workspace, l.Customer, string(l.Reason), l.Field, l.Detail} {
		b = wire.AppendString(b, s)
	}
	b = wire.AppendUint(b, uint64(l.Index))
	b = wire.AppendInt(b, l.At)
	return wire.AppendBytes(b, l.Raw)
}

// DecodeMessage reads an effect message. The captured values and raw records of the result
// alias p; everything else is copied. It fails with wire.ErrCorrupt where p is damaged or
// of an unknown format.
func DecodeMessage(p []byte) (Message, error) { return decode(wire.NewDecoder(p), nil, everything) }

// DecodeShared is DecodeMessage for callers that decode many messages. Strings that repeat
// are taken from names, and everything else aliases p, which must not be written to any
// more.
func DecodeShared(p []byte, names event.Names) (Message, error) {
	return decode(wire.NewAliasDecoder(p), names, everything)
}

// DecodeOutgoing is DecodeShared for the dispatcher: it decodes only deliveries and
// transfers.
func DecodeOutgoing(p []byte, names event.Names) (Message, error) {
	return decode(wire.NewAliasDecoder(p), names, func(tag byte) bool {
		return tag == tagDelivery || tag == tagTransfer
	})
}

// everything wants rows of every tag.
func everything(byte) bool { return true }

// decode reads a message and those of its rows whose tag is wanted.
func decode(d *wire.Decoder, names event.Names, wanted func(tag byte) bool) (Message, error) {
	if f := d.Byte(); d.Err() == nil && f != MessageFormat {
		return Message{}, fmt.Errorf("effect: message: %w: format %d; this program reads format %d",
			wire.ErrCorrupt, f, MessageFormat)
	}
	m := Message{N: d.Uint()}
	m.Seq, m.Part = d.Uint(), uint32(d.Uint())
	m.Semantics, m.Now = d.Uint(), d.Int()
	m.reserve(*d, wanted)
	for d.Err() == nil && d.Len() > 0 {
		tag := d.Byte()
		row := d.Row()
		if !wanted(tag) {
			continue
		}
		if err := m.decodeRow(tag, row, names); err != nil {
			return Message{}, fmt.Errorf("effect: message %d: %w", m.N, err)
		}
	}
	if err := d.Done(); err != nil {
		return Message{}, fmt.Errorf("effect: message %d: %w", m.N, err)
	}
	return m, nil
}

// reserve makes room for the rows that are wanted. It counts them in a first pass over the
// message, which is cheaper than growing the slices: most messages have many rows of few
// kinds. d is a copy of the decoder, so the pass consumes nothing.
func (m *Message) reserve(d wire.Decoder, wanted func(tag byte) bool) {
	var deliveries, decisions, chains int
	for d.Err() == nil && d.Len() > 0 {
		switch d.Byte() {
		case tagDelivery:
			deliveries++
		case tagDecision:
			decisions++
		case tagChain:
			chains++
		}
		d.Bytes()
	}
	m.Deliveries = slices.Grow(m.Deliveries, deliveries)
	if wanted(tagDecision) {
		m.Decisions = slices.Grow(m.Decisions, decisions)
		m.Chains = slices.Grow(m.Chains, chains)
	}
}

// decodeRow reads one row. A row with bytes left over is an error.
func (m *Message) decodeRow(tag byte, d *wire.Decoder, names event.Names) error {
	switch tag {
	case tagDelivery:
		v := output.DecodeSharedDelivery(d, names)
		if err := decodeDeliveryTail(d, &v); err != nil {
			return err
		}
		m.Deliveries = append(m.Deliveries, v)
	case tagDecision:
		m.Decisions = append(m.Decisions, output.Decision{
			Workspace: names.Of(d.Bytes()), Campaign: names.Of(d.Bytes()),
			Customer: d.String(), Key: d.String(), Step: names.Of(d.Bytes()), Kind: output.Kind(names.Of(d.Bytes())),
			Reason: output.Reason(names.Of(d.Bytes())), Detail: d.String(), EventID: d.String(),
			Version: uint32(d.Uint()), Entry: uint32(d.Uint()), At: d.Int(),
		})
	case tagChain:
		c := output.ChainRow{
			Workspace: names.Of(d.Bytes()), Campaign: names.Of(d.Bytes()), Customer: d.String(), Key: d.String(),
			Outcome: output.Outcome(names.Of(d.Bytes())), Goal: names.Of(d.Bytes()),
			Version: uint32(d.Uint()), Entry: uint32(d.Uint()), EnteredAt: d.Int(), EndedAt: d.Int(),
			Value: unit.Money(d.Int()), HasValue: d.Bool(),
		}
		if err := decodeChainTail(d, &c); err != nil {
			return err
		}
		m.Chains = append(m.Chains, c)
	case tagGoal:
		g := output.GoalRow{
			Workspace: d.String(), Campaign: d.String(),
			Customer: d.String(), Key: d.String(), Goal: d.String(), Step: d.String(), Currency: d.String(),
			EventID: d.String(), Version: uint32(d.Uint()), Entry: uint32(d.Uint()),
			Value: unit.Money(d.Int()), HasValue: d.Bool(), At: d.Int(),
		}
		if err := decodeGoalTail(d, &g); err != nil {
			return err
		}
		m.Goals = append(m.Goals, g)
	case tagDrop:
		m.Drops = append(m.Drops, Drop{Index: uint32(d.Uint()), Reason: output.Kind(d.String())})
	case tagDeadLetter:
		m.DeadLetters = append(m.DeadLetters, DeadLetter{
			Workspace: d.String(), Customer: d.String(),
			Reason: output.Reason(d.String()), Field: d.String(), Detail: d.String(),
			Index: uint32(d.Uint()), At: d.Int(), Raw: d.Bytes(),
		})
	case tagTransfer:
		m.Transfers = append(m.Transfers, event.ReadTransfer(d))
	default:
		return fmt.Errorf("%w: row of kind %q", wire.ErrCorrupt, tag)
	}
	return d.Done()
}
