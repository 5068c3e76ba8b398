package sim

import "math/rand/v2"

// Further has the campaigns use what the simulator learned last; see workload.More.
func (o Options) Further(rng *rand.Rand) Options {
	o.Language = o.Language.DrawMore(rng)
	if o.Language.Deciding {
		o.Rollback = 0 // a decision may rest on frames that nobody else has read
	}
	return o
}
