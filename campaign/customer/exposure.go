package customer

import (
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/wire"
)

// Exposed is what a chain keeps of an exposure.
type Exposed struct {
	Step       string
	Variant    string
	Experiment uint64
	At         int64
	Hour       int64
	Converted  bool
}

// Exposure returns the exposure of the chain to the experiment of a step; nil where there is none.
func (ch *Chain) Exposure(step string) *Exposed {
	for i := range ch.Exposed {
		if ch.Exposed[i].Step == step {
			return &ch.Exposed[i]
		}
	}
	return nil
}

// exposedSection keeps what a chain counts for in experiments.
//
//nudge:constant read only
var exposedSection = section[*Chain]{
	tag: 36,
	has: func(ch *Chain) bool { return len(ch.Exposed) > 0 },
	append: func(ch *Chain, b []byte) []byte {
		b = wire.AppendUint(b, uint64(len(ch.Exposed)))
		for _, e := range ch.Exposed {
			b = wire.AppendString(b, e.Step)
			b = wire.AppendString(b, e.Variant)
			b = wire.AppendFixed(b, e.Experiment)
			b = wire.AppendInt(b, e.At)
			b = wire.AppendInt(b, e.Hour)
			b = wire.AppendBool(b, e.Converted)
		}
		return b
	},
	decode: func(ch *Chain, d *wire.Decoder, names event.Names) {
		for range d.Count(13) {
			ch.Exposed = append(ch.Exposed, Exposed{
				Step: names.Of(d.Bytes()), Variant: names.Of(d.Bytes()), Experiment: d.Fixed(), At: d.Int(),
				Hour: d.Int(), Converted: d.Bool(),
			})
		}
	},
}
