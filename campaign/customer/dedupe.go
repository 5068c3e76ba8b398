package customer

import (
	"sort"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/wire"
)

// DedupeLock is a dedupe key that a chain holds. Until it is free again, no other chain sends to the
// customer under the same key; so two campaigns about one cart do not both remind of it.
type DedupeLock struct {
	Key string
	// Campaign and Entry name the chain that holds the key.
	Campaign string
	Entry    uint32
	Until    int64 // log time, ms; at that instant it is free again
}

// Hold returns the index of a key in c.Holds, which is sorted, and whether it is there. Where it is
// not, index is where it would be inserted. A lock that is found may be over; see Until.
func (c *Customer) Hold(key string) (index int, found bool) {
	i := sort.Search(len(c.Holds), func(i int) bool { return c.Holds[i].Key >= key })
	return i, i < len(c.Holds) && c.Holds[i].Key == key
}

// holdSection stores Customer.Holds, the dedupe keys that chains hold.
//
//nudge:constant read only
var holdSection = section[*Customer]{
	tag: 12,
	has: func(c *Customer) bool { return len(c.Holds) > 0 },
	append: func(c *Customer, b []byte) []byte {
		b = wire.AppendUint(b, uint64(len(c.Holds)))
		for i := range c.Holds {
			h := &c.Holds[i]
			b = wire.AppendString(wire.AppendString(b, h.Key), h.Campaign)
			b = wire.AppendInt(wire.AppendUint(b, uint64(h.Entry)), h.Until)
		}
		return b
	},
	decode: func(c *Customer, d *wire.Decoder, names event.Names) {
		for range d.Count(4) {
			c.Holds = append(c.Holds, DedupeLock{
				Key: d.String(), Campaign: names.Of(d.Bytes()), Entry: uint32(d.Uint()), Until: d.Int(),
			})
		}
	},
}
