package campaign

import (
	"bytes"
	"slices"

	"github.com/nudge-engine/nudge/internal/wire"
)

// Held is a send that waits: for the end of quiet hours, or for a cap to have room.
// The chain rests in the step until then, so that its messages keep their order.
type Held struct {
	Planned int64    // when the send was planned, ms
	Until   int64    // when it is asked again, ms
	Reason  Reason   // of what leaves first
	Open    []string // channels that are not decided yet; each has its deferred line
	Sent    bool     // another channel was handed off
}

// open are the channels of a send that are still to be decided.
func (ch *Chain) open(s *Send) []string {
	if ch.Held == nil {
		return s.Channels
	}
	var open []string
	for _, channel := range s.Channels {
		if slices.Contains(ch.Held.Open, channel) {
			open = append(open, channel)
		}
	}
	return open
}

// resume lets a chain that rests in a held send ask again.
func (m *Machine) resume(ch *Chain) {
	ch.Due, ch.Wake = 0, 0
	if !slices.Contains(m.ready, ch) {
		m.ready = append(m.ready, ch)
	}
}

// heldSend says whether the chain is held at a send: a new version can have made another step
// of it.
func (m *Machine) heldSend(ch *Chain) bool {
	p := m.set.of(ch)
	if ch.Held == nil || p == nil {
		return false
	}
	s, _ := p.step(ch.Step)
	if s == nil {
		return false
	}
	_, sends := s.Verb.(*Send)
	return sends
}

// resumeHeld lets the chains ask again that wait for this reason.
func (m *Machine) resumeHeld(reasons ...Reason) {
	for _, ch := range m.c.Chains {
		if ch.live() && m.heldSend(ch) && slices.Contains(reasons, ch.Held.Reason) {
			m.resume(ch)
		}
	}
}

// rezone lets held sends ask again when the record in hand says where the customer is.
func (m *Machine) rezone(e *Event) {
	if e.Type == Identify && bytes.Contains(e.Traits, []byte(`"timezone"`)) {
		m.resumeHeld(ReasonQuiet, ReasonCap)
	}
}

//nudge:constant read only
var heldSection = section[*Chain]{
	tag: 11,
	has: func(ch *Chain) bool { return ch.Held != nil },
	append: func(ch *Chain, b []byte) []byte {
		b = wire.AppendInt(wire.AppendInt(b, ch.Held.Planned), ch.Held.Until)
		b = wire.AppendString(b, string(ch.Held.Reason))
		b = wire.AppendUint(b, uint64(len(ch.Held.Open)))
		for _, channel := range ch.Held.Open {
			b = wire.AppendString(b, channel)
		}
		return b
	},
	decode: func(ch *Chain, d *wire.Decoder, names Names) {
		ch.Held = &Held{Planned: d.Int(), Until: d.Int(), Reason: Reason(names.of(d.Bytes()))}
		for range d.Count(1) {
			ch.Held.Open = append(ch.Held.Open, names.of(d.Bytes()))
		}
	},
}
