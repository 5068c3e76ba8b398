package sim

import "math/rand/v2"

// Loose has calls come as real sources send them; see workload.Loose.
func (o Options) Loose(rng *rand.Rand) Options {
	o.Language = o.Language.DrawLoose(rng)
	return o
}
