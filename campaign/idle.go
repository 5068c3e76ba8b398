package campaign

import "github.com/nudge-engine/nudge/internal/wire"

// expiry is when the customer is forgotten; 0 while something is under way: a live chain,
// a delivery without its result, an entry that is kept.
func (c *Customer) expiry() int64 {
	if c.idleAt == 0 || len(c.Pending) > 0 || len(c.queue) > 0 {
		return 0
	}
	for _, ch := range c.Chains {
		if ch.live() {
			return 0
		}
	}
	return c.idleAt
}

// Gone says that the customer is to be removed: nothing of them is kept.
func (c *Customer) Gone() bool { return c.gone }

// idleSection keeps when an anonymous customer is forgotten.
//
//nudge:constant read only
var idleSection = section[*Customer]{
	tag:    40,
	has:    func(c *Customer) bool { return c.idleAt != 0 },
	append: func(c *Customer, b []byte) []byte { return wire.AppendInt(b, c.idleAt) },
	decode: func(c *Customer, d *wire.Decoder, _ Names) { c.idleAt = d.Int() },
}
