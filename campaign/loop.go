package campaign

import "github.com/nudge-engine/nudge/internal/wire"

// loopCount is how often a chain went back to a step.
type loopCount struct {
	step  string
	count uint32
}

// loopSection keeps what a chain went back.
//
//nudge:constant read only
var loopSection = section[*Chain]{
	tag: 31,
	has: func(ch *Chain) bool { return len(ch.loops) > 0 },
	append: func(ch *Chain, b []byte) []byte {
		b = wire.AppendUint(b, uint64(ch.leaps))
		b = wire.AppendInt(b, ch.leapAt)
		b = wire.AppendUint(b, uint64(len(ch.loops)))
		for _, l := range ch.loops {
			b = wire.AppendString(b, l.step)
			b = wire.AppendUint(b, uint64(l.count))
		}
		return b
	},
	decode: func(ch *Chain, d *wire.Decoder, names Names) {
		ch.leaps, ch.leapAt = uint32(d.Uint()), d.Int()
		for range d.Count(2) {
			ch.loops = append(ch.loops, loopCount{step: names.Of(d.Bytes()), count: uint32(d.Uint())})
		}
	},
}
