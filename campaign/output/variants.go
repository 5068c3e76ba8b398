package output

import (
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/jsonvalue"
	"github.com/nudge-engine/nudge/internal/wire"
)

// Passed is an experiment that a chain passed: the id of its step, and the variant that it got there.
type Passed struct{ Step, Variant string }

// AppendVariants appends the stored form of variants to b.
func AppendVariants(b []byte, variants []Passed) []byte {
	b = wire.AppendUint(b, uint64(len(variants)))
	for _, v := range variants {
		b = wire.AppendString(b, v.Step)
		b = wire.AppendString(b, v.Variant)
	}
	return b
}

// DecodeVariants reads the stored form that AppendVariants wrote from the front of d; errors stay in d.
func DecodeVariants(d *wire.Decoder) []Passed { return DecodeSharedVariants(d, nil) }

// DecodeSharedVariants is DecodeVariants with the names taken from names, so that customers share one
// copy of each.
func DecodeSharedVariants(d *wire.Decoder, names event.Names) (all []Passed) {
	for range d.Count(2) {
		all = append(all, Passed{Step: names.Of(d.Bytes()), Variant: names.Of(d.Bytes())})
	}
	return all
}

// VariantsJSON returns a JSON object from step to variant, in the order in which the experiments were
// passed; nil where there are none.
func VariantsJSON(variants []Passed) []byte {
	if len(variants) == 0 {
		return nil
	}
	b := []byte{'{'}
	for i, v := range variants {
		if i > 0 {
			b = append(b, ',')
		}
		b = jsonvalue.AppendString(append(jsonvalue.AppendString(b, v.Step), ':'), v.Variant)
	}
	return append(b, '}')
}
