package customer

import (
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/wire"
)

// LoopCount is the number of times that a chain jumped back to a step.
type LoopCount struct {
	Step  string
	Count uint32
}

// loopSection stores how often a chain jumped back, by step and in all, and when it last did.
//
//nudge:constant read only
var loopSection = section[*Chain]{
	tag: 31,
	has: func(ch *Chain) bool { return len(ch.Loops) > 0 },
	append: func(ch *Chain, b []byte) []byte {
		b = wire.AppendUint(b, uint64(ch.BackJumps))
		b = wire.AppendInt(b, ch.LastJumpAt)
		b = wire.AppendUint(b, uint64(len(ch.Loops)))
		for _, l := range ch.Loops {
			b = wire.AppendString(b, l.Step)
			b = wire.AppendUint(b, uint64(l.Count))
		}
		return b
	},
	decode: func(ch *Chain, d *wire.Decoder, names event.Names) {
		ch.BackJumps, ch.LastJumpAt = uint32(d.Uint()), d.Int()
		for range d.Count(2) {
			ch.Loops = append(ch.Loops, LoopCount{Step: names.Of(d.Bytes()), Count: uint32(d.Uint())})
		}
	},
}
