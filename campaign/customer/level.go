package customer

import (
	"sort"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/wire"
)

// Latch is what a segment or threshold trigger remembers of a customer between records. Most customers
// need none: the value before a record can be computed. One is kept where it can not, for example
// between the two thresholds of a hysteresis, or where time alone changes the value.
type Latch struct {
	Campaign string
	// Spec is a hash of the trigger's definition; state with another hash is not used.
	Spec uint64
	// On is true while the customer is in the segment, or while the value is beyond the threshold and
	// has not gone back far enough to fire again.
	On bool
	// Due is when the value may change without a record, in ms, for example because an event leaves a
	// window; 0 where it cannot.
	Due int64
}

// Level returns what the trigger of a campaign remembers of the customer; nil where that is nothing.
func (c *Customer) Level(campaign string) *Latch {
	i := sort.Search(len(c.Levels), func(i int) bool { return c.Levels[i].Campaign >= campaign })
	if i < len(c.Levels) && c.Levels[i].Campaign == campaign {
		return &c.Levels[i]
	}
	return nil
}

// appendLevels appends the stored form of c.Levels without the timers, which levelTimerSection has.
func appendLevels(c *Customer, b []byte) []byte {
	b = wire.AppendUint(b, uint64(len(c.Levels)))
	for _, l := range c.Levels {
		b = wire.AppendString(b, l.Campaign)
		b = wire.AppendFixed(b, l.Spec)
		b = wire.AppendBool(b, l.On)
	}
	return b
}

// decodeLevels reads what appendLevels wrote.
func decodeLevels(c *Customer, d *wire.Decoder, names event.Names) {
	for range d.Count(10) {
		c.Levels = append(c.Levels, Latch{Campaign: names.Of(d.Bytes()), Spec: d.Fixed(), On: d.Bool()})
	}
}

// levelTimerSection stores when the values of Levels may change (Latch.Due). It came later
// than the section of the levels themselves, whose bytes must not change.
//
//nudge:constant read only
var levelTimerSection = section[*Customer]{
	tag: 26,
	has: func(c *Customer) bool {
		for i := range c.Levels {
			if c.Levels[i].Due != 0 {
				return true
			}
		}
		return false
	},
	append: func(c *Customer, b []byte) []byte {
		for i := range c.Levels { // as many as there are levels, in their order
			b = wire.AppendInt(b, c.Levels[i].Due)
		}
		return b
	},
	decode: func(c *Customer, d *wire.Decoder, _ event.Names) {
		for i := range c.Levels { // their section comes before this one
			c.Levels[i].Due = d.Int()
		}
	},
}
