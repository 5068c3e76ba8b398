package campaign

import "github.com/nudge-engine/nudge/internal/wire"

// notedSection keeps the faults that were recorded, oldest first.
//
//nudge:constant read only
var notedSection = section[*Customer]{
	tag: 60,
	has: func(c *Customer) bool { return len(c.noted) > 0 },
	append: func(c *Customer, b []byte) []byte {
		b = wire.AppendUint(b, uint64(len(c.noted)))
		for _, id := range c.noted {
			b = wire.AppendString(b, id)
		}
		return b
	},
	decode: func(c *Customer, d *wire.Decoder, names Names) {
		for range d.Count(1) {
			c.noted = append(c.noted, names.Of(d.Bytes()))
		}
	},
}

func appendToured(c *Customer, b []byte) []byte { return wire.AppendUint(b, c.Toured) }

func decodeToured(c *Customer, d *wire.Decoder, _ Names) { c.Toured = d.Uint() }
