package output

import (
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/jsonvalue"
	"github.com/nudge-engine/nudge/internal/wire"
)

// Passed is the variant with which a chain passed an experiment.
type Passed struct{ Step, Variant string }

// AppendVariants appends the stored form of variants.
func AppendVariants(b []byte, variants []Passed) []byte {
	b = wire.AppendUint(b, uint64(len(variants)))
	for _, v := range variants {
		b = wire.AppendString(b, v.Step)
		b = wire.AppendString(b, v.Variant)
	}
	return b
}

// DecodeVariants reads what AppendVariants wrote, from the front of d.
func DecodeVariants(d *wire.Decoder) []Passed { return DecodeSharedVariants(d, nil) }

// DecodeSharedVariants reads variants whose names are shared through names.
func DecodeSharedVariants(d *wire.Decoder, names event.Names) (all []Passed) {
	for range d.Count(2) {
		all = append(all, Passed{Step: names.Of(d.Bytes()), Variant: names.Of(d.Bytes())})
	}
	return all
}

// VariantsJSON is an object from step to variant in the order passed; nil when none.
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
