package campaign

import (
	"slices"

	"github.com/nudge-engine/nudge/internal/wire"
)

// maxNoted bounds the faults of a customer's data that are remembered; beyond it the oldest
// is forgotten, and recorded again when it comes again.
const maxNoted = 32

// noteOnce records a fault in a customer's data that each record would show again: once a
// reason, campaign and detail.
func (m *Machine) noteOnce(reason Reason, campaign, detail string) {
	detail = clip(detail, 100)
	id := string(reason) + "\x00" + campaign + "\x00" + detail
	if slices.Contains(m.c.noted, id) {
		return
	}
	if len(m.c.noted) >= maxNoted {
		m.c.noted = slices.Delete(m.c.noted, 0, 1)
	}
	m.c.noted = append(m.c.noted, id)
	m.decide(Decision{Campaign: campaign, Kind: Erred, Reason: reason, Detail: detail})
}

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
			c.noted = append(c.noted, names.of(d.Bytes()))
		}
	},
}
