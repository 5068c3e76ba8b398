package campaign

import "github.com/nudge-engine/nudge/internal/wire"

// traitZone names the trait, and the member of an event's context, that is a time zone.
const traitZone = "timezone"

// contextZone is the time zone that the customer's device says, for those without a trait.
type contextZone struct {
	name string // as zone.Load takes it; empty: none is known
	at   int64  // event time of the newest event that said it, ms
}

// contextZoneSection keeps the time zone of the customer's device.
//
//nudge:constant read only
var contextZoneSection = section[*Customer]{
	tag: 61,
	has: func(c *Customer) bool { return c.device.name != "" },
	append: func(c *Customer, b []byte) []byte {
		return wire.AppendInt(wire.AppendString(b, c.device.name), c.device.at)
	},
	decode: func(c *Customer, d *wire.Decoder, names Names) {
		c.device = contextZone{name: names.Of(d.Bytes()), at: d.Int()}
	},
}
