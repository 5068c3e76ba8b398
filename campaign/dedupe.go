package campaign

import (
	"sort"

	"github.com/nudge-engine/nudge/internal/wire"
)

// maxHolds bounds the dedupe keys that are held for one customer.
const maxHolds = 1000

// Hold is a dedupe key that a chain holds: until then no other chain sends to the
// customer under that key.
type Hold struct {
	Key      string
	Campaign string
	Entry    uint32
	Until    int64 // log time, ms; at that instant it is free again
}

func (c *Customer) hold(key string) (index int, found bool) {
	i := sort.Search(len(c.Holds), func(i int) bool { return c.Holds[i].Key >= key })
	return i, i < len(c.Holds) && c.Holds[i].Key == key
}

// dedupeKey is the key of a chain; empty when the campaign has none, or its value is
// missing.
func (m *Machine) dedupeKey(p *Program) string {
	if p.Policy.Dedupe == nil {
		return ""
	}
	key, _ := m.identifier(p.Policy.Dedupe.Key)
	return clip(key, 256)
}

// heldBy is the campaign of the other chain that holds a key, empty when it is free
// for ch. full says that there is no room for another key.
func (m *Machine) heldBy(key string, ch *Chain) (holder string, full bool) {
	i, found := m.c.hold(key)
	if found && m.now < m.c.Holds[i].Until {
		if h := &m.c.Holds[i]; h.Campaign != ch.Campaign || h.Entry != ch.Entry {
			return h.Campaign, false
		}
		return "", false
	}
	if found || len(m.c.Holds) < maxHolds {
		return "", false
	}
	m.dropHolds()
	return "", len(m.c.Holds) >= maxHolds
}

// takeKey gives a key to a chain that is about to send. A key that it holds already
// is held no longer for that.
func (m *Machine) takeKey(key string, p *Program, ch *Chain) {
	if i, found := m.c.hold(key); found && m.now < m.c.Holds[i].Until {
		return
	}
	m.dropHolds()
	i, _ := m.c.hold(key)
	m.c.Holds = append(m.c.Holds, Hold{})
	copy(m.c.Holds[i+1:], m.c.Holds[i:])
	m.c.Holds[i] = Hold{Key: key, Campaign: ch.Campaign, Entry: ch.Entry, Until: m.now + p.Policy.Dedupe.Window}
}

// dropHolds forgets the keys that are free again.
func (m *Machine) dropHolds() {
	kept := m.c.Holds[:0]
	for _, h := range m.c.Holds {
		if m.now < h.Until {
			kept = append(kept, h)
		}
	}
	clear(m.c.Holds[len(kept):])
	m.c.Holds = kept
}

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
	decode: func(c *Customer, d *wire.Decoder, names Names) {
		for range d.Count(4) {
			c.Holds = append(c.Holds, Hold{
				Key: d.String(), Campaign: names.of(d.Bytes()), Entry: uint32(d.Uint()), Until: d.Int(),
			})
		}
	},
}
