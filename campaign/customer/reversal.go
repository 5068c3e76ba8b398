package customer

import (
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/wire"
)

// Reversal is what is needed to take a conversion back, and whether it was.
type Reversal struct {
	Goal string
	At   int64 // event time of the conversion, ms
	// Step is the step of the last delivery before the goal, which the conversion was credited to;
	// empty where there was none.
	Step     string
	Currency string
	// Done is true when the conversion was taken back.
	Done bool
}

// Reversal returns what is known for taking back a goal; nil where the chain did not reach it, or where
// its definition has no reverse_on.
func (ch *Chain) Reversal(goal string) *Reversal {
	for i := range ch.Reversals {
		if ch.Reversals[i].Goal == goal {
			return &ch.Reversals[i]
		}
	}
	return nil
}

// Reversed reports whether a goal that the chain reached was taken back.
func (ch *Chain) Reversed(goal string) bool {
	t := ch.Reversal(goal)
	return t != nil && t.Done
}

// reversalSection stores Reversals: the conversions that can be taken back, and those that
// were.
//
//nudge:constant read only
var reversalSection = section[*Chain]{
	tag: 32,
	has: func(ch *Chain) bool { return len(ch.Reversals) > 0 },
	append: func(ch *Chain, b []byte) []byte {
		b = wire.AppendUint(b, uint64(len(ch.Reversals)))
		for _, t := range ch.Reversals {
			b = wire.AppendString(b, t.Goal)
			b = wire.AppendInt(b, t.At)
			b = wire.AppendString(b, t.Step)
			b = wire.AppendString(b, t.Currency)
			b = wire.AppendBool(b, t.Done)
		}
		return b
	},
	decode: func(ch *Chain, d *wire.Decoder, names event.Names) {
		for range d.Count(5) {
			ch.Reversals = append(ch.Reversals, Reversal{
				Goal: names.Of(d.Bytes()), At: d.Int(), Step: names.Of(d.Bytes()), Currency: names.Of(d.Bytes()),
				Done: d.Bool(),
			})
		}
	},
}
