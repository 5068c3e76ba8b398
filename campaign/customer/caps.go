package customer

import (
	"sort"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/wire"
)

// CapUse is the record of what was sent to a customer under one cap of the policies.
type CapUse struct {
	// Cap is the name of the cap.
	Cap  string
	Uses []Use // oldest first; at most Cap.Limit within any of its windows
}

// Use is one delivery that counts against a cap.
type Use struct {
	At int64     // log time of the hand-off, ms
	ID output.ID // of the delivery
}

// CapUse returns what the customer used of the cap of that name, or nil where that is nothing.
func (c *Customer) CapUse(name string) *CapUse {
	i := sort.Search(len(c.CapUses), func(i int) bool { return c.CapUses[i].Cap >= name })
	if i < len(c.CapUses) && c.CapUses[i].Cap == name {
		return &c.CapUses[i]
	}
	return nil
}

// EnsureCapUse returns what the customer used of the cap of that name. It adds an empty record where
// there is none. The pointer is valid until the next record is added.
func (c *Customer) EnsureCapUse(name string) *CapUse {
	i := sort.Search(len(c.CapUses), func(i int) bool { return c.CapUses[i].Cap >= name })
	if i == len(c.CapUses) || c.CapUses[i].Cap != name {
		c.CapUses = append(c.CapUses, CapUse{})
		copy(c.CapUses[i+1:], c.CapUses[i:])
		c.CapUses[i] = CapUse{Cap: name}
	}
	return &c.CapUses[i]
}

// capSection stores Customer.CapUses, what was sent under each cap.
//
//nudge:constant read only
var capSection = section[*Customer]{
	tag: 11,
	has: func(c *Customer) bool { return len(c.CapUses) > 0 },
	append: func(c *Customer, b []byte) []byte {
		b = wire.AppendUint(b, uint64(len(c.CapUses)))
		for i := range c.CapUses {
			u := &c.CapUses[i]
			b = wire.AppendUint(wire.AppendString(b, u.Cap), uint64(len(u.Uses)))
			for j := range u.Uses {
				b = append(wire.AppendInt(b, u.Uses[j].At), u.Uses[j].ID[:]...)
			}
		}
		return b
	},
	decode: func(c *Customer, d *wire.Decoder, names event.Names) {
		for range d.Count(2) {
			u := CapUse{Cap: names.Of(d.Bytes())}
			for range d.Count(17) {
				use := Use{At: d.Int()}
				for i := range use.ID {
					use.ID[i] = d.Byte()
				}
				u.Uses = append(u.Uses, use)
			}
			c.CapUses = append(c.CapUses, u)
		}
	},
}
