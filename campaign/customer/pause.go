package customer

import (
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/wire"
)

// Queued is an entry into a paused campaign. It is decided when the campaign is active again.
type Queued struct {
	Campaign string
	// Trigger is the stored form (event.AppendBody) of the event that would have started the chain.
	Trigger []byte
}

// stillSection marks chains that came to their step while the campaign was paused (Chain.Still). It has
// no body: that it is there says everything.
//
//nudge:constant read only
var stillSection = section[*Chain]{
	tag:    34,
	has:    func(ch *Chain) bool { return ch.Still },
	append: func(_ *Chain, b []byte) []byte { return b },
	decode: func(ch *Chain, _ *wire.Decoder, _ event.Names) { ch.Still = true },
}

// queueSection stores Customer.Queue, the entries into paused campaigns.
//
//nudge:constant read only
var queueSection = section[*Customer]{
	tag: 30,
	has: func(c *Customer) bool { return len(c.Queue) > 0 },
	append: func(c *Customer, b []byte) []byte {
		b = wire.AppendUint(b, uint64(len(c.Queue)))
		for _, q := range c.Queue {
			b = wire.AppendString(b, q.Campaign)
			b = wire.AppendBytes(b, q.Trigger)
		}
		return b
	},
	decode: func(c *Customer, d *wire.Decoder, names event.Names) {
		for range d.Count(2) {
			c.Queue = append(c.Queue, Queued{Campaign: names.Of(d.Bytes()), Trigger: d.Bytes()})
		}
	},
}
