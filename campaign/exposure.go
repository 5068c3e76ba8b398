package campaign

import "github.com/nudge-engine/nudge/internal/wire"

// exposed is what a chain keeps of an exposure.
type exposed struct {
	step       string
	variant    string
	experiment uint64
	at         int64
	hour       int64
	converted  bool
}

func (ch *Chain) exposure(step string) *exposed {
	for i := range ch.exposed {
		if ch.exposed[i].step == step {
			return &ch.exposed[i]
		}
	}
	return nil
}

// exposedSection keeps what a chain counts for in experiments.
//
//nudge:constant read only
var exposedSection = section[*Chain]{
	tag: 36,
	has: func(ch *Chain) bool { return len(ch.exposed) > 0 },
	append: func(ch *Chain, b []byte) []byte {
		b = wire.AppendUint(b, uint64(len(ch.exposed)))
		for _, e := range ch.exposed {
			b = wire.AppendString(b, e.step)
			b = wire.AppendString(b, e.variant)
			b = wire.AppendFixed(b, e.experiment)
			b = wire.AppendInt(b, e.at)
			b = wire.AppendInt(b, e.hour)
			b = wire.AppendBool(b, e.converted)
		}
		return b
	},
	decode: func(ch *Chain, d *wire.Decoder, names Names) {
		for range d.Count(13) {
			ch.exposed = append(ch.exposed, exposed{
				step: names.Of(d.Bytes()), variant: names.Of(d.Bytes()), experiment: d.Fixed(), at: d.Int(),
				hour: d.Int(), converted: d.Bool(),
			})
		}
	},
}
