package sim

import "math/rand/v2"

// Model has the campaigns rest, come to customers who are there and change under them.
func (o Options) Model(rng *rand.Rand) Options {
	o.Language = o.Language.DrawModel(rng)
	if o.Language.Dates && rng.IntN(2) == 0 { // dates are missed
		o.Clock, o.Jump = Rate(50+rng.IntN(100)), 43_200_000
	}
	return o
}

// struggling is how many crashes between two instants say that an owner got nowhere.
const struggling = 100

// mayTake says whether a delivery may take until it expires: sends are switched off for a
// while, or the owner came up again and again and found that its store fails.
func (p *partition) mayTake(from, to int64) bool {
	n := 0
	for _, at := range p.crashes {
		if at > from && at < to {
			n++
		}
	}
	return n >= struggling || p.w.opt.Language.Model.Policies
}
