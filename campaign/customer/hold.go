package customer

import (
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/wire"
)

// Held is a deferred send: it waits for the end of quiet hours, or for room in a cap. The chain rests
// in the step meanwhile, so that its messages keep their order.
type Held struct {
	Planned int64 // when the send was planned, ms
	// Until is when the decision is made again, in ms.
	Until int64
	// Reason is why it waits; of several channels, that of the one which may be sent first.
	Reason output.Reason
	// Open has the channels that are not decided yet. A deferred row was written for each of them.
	Open []string
	// Sent is true where another channel of the step was handed off already.
	Sent bool
}

// heldSection stores Chain.Held, the deferred send in which a chain rests. Its field Sent is in
// partlySentSection.
//
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
	decode: func(ch *Chain, d *wire.Decoder, names event.Names) {
		ch.Held = &Held{Planned: d.Int(), Until: d.Int(), Reason: output.Reason(names.Of(d.Bytes()))}
		for range d.Count(1) {
			ch.Held.Open = append(ch.Held.Open, names.Of(d.Bytes()))
		}
	},
}
