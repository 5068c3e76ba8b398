package campaign

import "github.com/nudge-engine/nudge/internal/wire"

// queued is an entry into a paused campaign.
type queued struct {
	campaign string
	trigger  []byte // stored form
}

// stillSection marks chains that wait before their step.
//
//nudge:constant read only
var stillSection = section[*Chain]{
	tag:    34,
	has:    func(ch *Chain) bool { return ch.still },
	append: func(_ *Chain, b []byte) []byte { return b },
	decode: func(ch *Chain, _ *wire.Decoder, _ Names) { ch.still = true },
}

// queueSection keeps the entries into paused campaigns.
//
//nudge:constant read only
var queueSection = section[*Customer]{
	tag: 30,
	has: func(c *Customer) bool { return len(c.queue) > 0 },
	append: func(c *Customer, b []byte) []byte {
		b = wire.AppendUint(b, uint64(len(c.queue)))
		for _, q := range c.queue {
			b = wire.AppendString(b, q.campaign)
			b = wire.AppendBytes(b, q.trigger)
		}
		return b
	},
	decode: func(c *Customer, d *wire.Decoder, names Names) {
		for range d.Count(2) {
			c.queue = append(c.queue, queued{campaign: names.Of(d.Bytes()), trigger: d.Bytes()})
		}
	},
}
