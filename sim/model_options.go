package sim

import "math/rand/v2"

// Model has the campaigns rest, come to customers who are there and change under them.
func (o Options) Model(rng *rand.Rand) Options {
	o.Language = o.Language.DrawModel(rng)
	return o
}
