package campaign

import "github.com/nudge-engine/nudge/internal/wire"

// maxLeaps bounds how often one chain goes back, over all its steps.
const maxLeaps = 1000

// loopCount is how often a chain went back to a step.
type loopCount struct {
	step  string
	count uint32
}

// leap is where a chain really goes from step index at that wants to go to target:
// there, or to the next step in the list when target lies behind and was gone back to
// often enough.
func (m *Machine) leap(p *Program, ch *Chain, at int, target string) string {
	to, known := p.steps[target]
	if !known || to > at {
		return target
	}
	i := 0
	for i < len(ch.loops) && ch.loops[i].step != target {
		i++
	}
	if i == len(ch.loops) {
		ch.loops = append(ch.loops, loopCount{step: target})
	}
	if ch.loops[i].count >= p.Steps[to].Loop || ch.leaps >= maxLeaps {
		return p.listed(at)
	}
	ch.loops[i].count++
	ch.leaps++
	ch.leapAt = m.now
	return target
}

// listed is the step that stands behind index i in the list, endStep behind the last.
func (p *Program) listed(i int) string {
	if i+1 == len(p.Steps) {
		return endStep
	}
	return p.Steps[i+1].ID
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
			ch.loops = append(ch.loops, loopCount{step: names.of(d.Bytes()), count: uint32(d.Uint())})
		}
	},
}
