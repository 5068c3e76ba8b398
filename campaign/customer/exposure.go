package customer

import (
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/wire"
)

// Exposed is what a chain keeps of an exposure, so that it can be counted as converted, or taken out of
// the counts, later.
type Exposed struct {
	Step    string
	Variant string
	// Experiment is Experiment.Print of the definition under which the exposure was counted.
	Experiment uint64
	// At is the log time of the exposure in ms.
	At int64
	// Hour is the full UTC hour since 1970 from which the exposure has matured; 0 while it is not
	// known.
	Hour      int64
	Converted bool
}

// Exposure returns the chain's exposure to the experiment of a step; nil where it was not exposed.
func (ch *Chain) Exposure(step string) *Exposed {
	for i := range ch.Exposed {
		if ch.Exposed[i].Step == step {
			return &ch.Exposed[i]
		}
	}
	return nil
}

// exposedSection stores Chain.Exposed, what a chain counts for in experiments.
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
