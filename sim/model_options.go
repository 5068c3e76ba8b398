package sim

import "math/rand/v2"

// Model has the campaigns rest, come to customers who are there and change under them.
func (o Options) Model(rng *rand.Rand) Options {
	o.Language = o.Language.DrawModel(rng)
	if o.Language.Dates && rng.IntN(2) == 0 { // dates are missed
		o.Clock, o.Jump = Rate(50+rng.IntN(100)), halfADay
	}
	return o
}

// struggling is how many crashes between two instants say that an owner got nowhere.
const struggling = 100

// halfADay is how far the clock of a writer may jump in some worlds, ms: two jumps pass over all
// attempts that were still to be made.
const halfADay = 43_200_000

// mayTake says whether a delivery may take until it expires: sends are switched off for a
// while, the clock jumps far, or the owner came up again and again and found that its store
// fails.
func (p *partition) mayTake(from, to int64) bool {
	n := 0
	for _, at := range p.crashes {
		if at > from && at < to {
			n++
		}
	}
	return n >= struggling || p.w.opt.Language.Model.Policies || p.w.opt.Jump >= halfADay
}
