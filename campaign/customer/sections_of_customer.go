package customer

import (
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/wire"
)

// notedSection stores the faults that were recorded, oldest first.
//
//nudge:constant read only
var notedSection = section[*Customer]{
	tag: 60,
	has: func(c *Customer) bool { return len(c.Noted) > 0 },
	append: func(c *Customer, b []byte) []byte {
		b = wire.AppendUint(b, uint64(len(c.Noted)))
		for _, id := range c.Noted {
			b = wire.AppendString(b, id)
		}
		return b
	},
	decode: func(c *Customer, d *wire.Decoder, names event.Names) {
		for range d.Count(1) {
			c.Noted = append(c.Noted, names.Of(d.Bytes()))
		}
	},
}

// appendToured appends the number of the last bulk scan.
func appendToured(c *Customer, b []byte) []byte { return wire.AppendUint(b, c.Toured) }

// decodeToured reads what appendToured wrote.
func decodeToured(c *Customer, d *wire.Decoder, _ event.Names) { c.Toured = d.Uint() }
