package customer

import (
	"sort"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/wire"
)

// Latch is what must be remembered of a segment or threshold trigger from one record
// to the next: of most nothing, since the value before a record can be computed.
type Latch struct {
	Campaign string
	Spec     uint64
	// On says that the customer is in the segment, or that the value is beyond the
	// threshold and has not gone back far enough.
	On bool
	// Due is when the value may change without a record, ms; 0: it does not.
	Due int64
}

// Level returns the side of a threshold on which the customer was last; nil where none is known.
func (c *Customer) Level(campaign string) *Latch {
	i := sort.Search(len(c.Levels), func(i int) bool { return c.Levels[i].Campaign >= campaign })
	if i < len(c.Levels) && c.Levels[i].Campaign == campaign {
		return &c.Levels[i]
	}
	return nil
}

func appendLevels(c *Customer, b []byte) []byte {
	b = wire.AppendUint(b, uint64(len(c.Levels)))
	for _, l := range c.Levels {
		b = wire.AppendString(b, l.Campaign)
		b = wire.AppendFixed(b, l.Spec)
		b = wire.AppendBool(b, l.On)
	}
	return b
}

func decodeLevels(c *Customer, d *wire.Decoder, names event.Names) {
	for range d.Count(10) {
		c.Levels = append(c.Levels, Latch{Campaign: names.Of(d.Bytes()), Spec: d.Fixed(), On: d.Bool()})
	}
}

// levelTimerSection keeps when the values of triggers may change.
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
