package customer

import (
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/wire"
)

// TraitTimezone is the name of the trait, and of the member of an event's context, that has a time
// zone.
const TraitTimezone = "timezone"

// ContextZone is the time zone of the customer's device. It is used for customers without the trait.
type ContextZone struct {
	Name string // as zone.Load takes it; empty: none is known
	At   int64  // event time of the newest event that said it, ms
}

// contextZoneSection stores Customer.Device, the time zone of the customer's device.
//
//nudge:constant read only
var contextZoneSection = section[*Customer]{
	tag: 61,
	has: func(c *Customer) bool { return c.Device.Name != "" },
	append: func(c *Customer, b []byte) []byte {
		return wire.AppendInt(wire.AppendString(b, c.Device.Name), c.Device.At)
	},
	decode: func(c *Customer, d *wire.Decoder, names event.Names) {
		c.Device = ContextZone{Name: names.Of(d.Bytes()), At: d.Int()}
	},
}
