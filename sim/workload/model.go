package workload

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

// Model says which of the parts that look back the campaigns of a workload use: what rests
// and goes on, what is there when a campaign comes, what changes under it.
type Model struct {
	Pauses bool // pauses that freeze, or keep what would start chains
}

// DrawModel draws about half of them. They have a generator of their own, so that the
// worlds without them stay what they were.
func (f Features) DrawModel(rng *rand.Rand) Features {
	f.Model.Pauses = rng.IntN(2) == 0
	return f
}

// model draws what these parts add, when all else is drawn.
func (d *draw) model(w *Workload) {
	if d.f.Model == (Model{}) {
		return
	}
	if d.f.Model.Pauses {
		d.pauses(w)
	}
	slices.SortStableFunc(w.Edits, func(x, y Edit) int { return cmp.Compare(x.At, y.At) })
	w.Edits = counting(w.Campaigns, w.Edits)
	d.end(w)
}
