package campaign

import "github.com/nudge-engine/nudge/internal/wire"

// takeback is what is needed to take a conversion back.
type takeback struct {
	goal     string
	at       int64 // event time of the conversion, ms
	step     string
	currency string
	done     bool // it was taken back
}

func (ch *Chain) takeback(goal string) *takeback {
	for i := range ch.takebacks {
		if ch.takebacks[i].goal == goal {
			return &ch.takebacks[i]
		}
	}
	return nil
}

// reversed says whether a goal that the chain reached was taken back.
func (ch *Chain) reversed(goal string) bool {
	t := ch.takeback(goal)
	return t != nil && t.done
}

// takebackSection keeps the conversions that can be taken back, and those that were.
//
//nudge:constant read only
var takebackSection = section[*Chain]{
	tag: 32,
	has: func(ch *Chain) bool { return len(ch.takebacks) > 0 },
	append: func(ch *Chain, b []byte) []byte {
		b = wire.AppendUint(b, uint64(len(ch.takebacks)))
		for _, t := range ch.takebacks {
			b = wire.AppendString(b, t.goal)
			b = wire.AppendInt(b, t.at)
			b = wire.AppendString(b, t.step)
			b = wire.AppendString(b, t.currency)
			b = wire.AppendBool(b, t.done)
		}
		return b
	},
	decode: func(ch *Chain, d *wire.Decoder, names Names) {
		for range d.Count(5) {
			ch.takebacks = append(ch.takebacks, takeback{
				goal: names.Of(d.Bytes()), at: d.Int(), step: names.Of(d.Bytes()), currency: names.Of(d.Bytes()),
				done: d.Bool(),
			})
		}
	},
}
