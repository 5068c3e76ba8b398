package customer

import (
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/wire"
)

// Expiry returns when the customer is forgotten, in ms. It is 0 for customers who are never forgotten,
// and while something is under way: a live chain, a delivery without its result, a queued entry.
func (c *Customer) Expiry() int64 {
	if c.IdleAt == 0 || len(c.Pending) > 0 || len(c.Queue) > 0 {
		return 0
	}
	for _, ch := range c.Chains {
		if ch.Live() {
			return 0
		}
	}
	return c.IdleAt
}

// Gone reports whether the customer is to be removed with everything about them.
func (c *Customer) Gone() bool { return c.Expired }

// idleSection stores Customer.IdleAt, when an anonymous customer is forgotten.
//
//nudge:constant read only
var idleSection = section[*Customer]{
	tag:    40,
	has:    func(c *Customer) bool { return c.IdleAt != 0 },
	append: func(c *Customer, b []byte) []byte { return wire.AppendInt(b, c.IdleAt) },
	decode: func(c *Customer, d *wire.Decoder, _ event.Names) { c.IdleAt = d.Int() },
}
