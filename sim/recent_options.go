package sim

import "math/rand/v2"

// Recent has campaigns and calls use what expressions learned last; see workload.Recent.
func (o Options) Recent(rng *rand.Rand) Options {
	o.Language = o.Language.DrawRecent(rng)
	return o
}
