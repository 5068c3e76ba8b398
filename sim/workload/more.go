package workload

import "math/rand/v2"

// More are parts of the language that the simulator learned last. They have a generator
// of their own, so that the worlds without them stay what they were.
type More struct {
	Calls bool // call steps, with and without a wait for the reply
}

// DrawMore draws about half of them.
func (f Features) DrawMore(rng *rand.Rand) Features {
	yes := func() bool { return rng.IntN(2) == 0 }
	f.More = More{Calls: yes()}
	return f
}

// more draws what these parts add, when all else is drawn.
func (d *draw) more(w *Workload) {
	if d.f.Calls {
		d.calling(w)
	}
}
