package customer

import (
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/wire"
)

// Expiry is when the customer is forgotten; 0 while something is under way: a live chain,
// a delivery without its result, an entry that is kept.
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

// Gone says that the customer is to be removed: nothing of them is kept.
func (c *Customer) Gone() bool { return c.Expired }

// idleSection keeps when an anonymous customer is forgotten.
//
//nudge:constant read only
var idleSection = section[*Customer]{
	tag:    40,
	has:    func(c *Customer) bool { return c.IdleAt != 0 },
	append: func(c *Customer, b []byte) []byte { return wire.AppendInt(b, c.IdleAt) },
	decode: func(c *Customer, d *wire.Decoder, _ event.Names) { c.IdleAt = d.Int() },
}
