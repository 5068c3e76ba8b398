package sim

import (
	"math/rand/v2"

	"github.com/nudge-engine/nudge/sim/workload"
)

// Merging is the options of a world whose customers merge and are erased. Definitions stay
// as they are and the log loses nothing there: what the model says of customers who merge
// meanwhile is not decided.
func (o Options) Merging(rng *rand.Rand) Options {
	o.Identity = workload.Identity{Merges: true, Erases: rng.IntN(2) == 0, Large: rng.IntN(4) == 0}
	o.Partitions = []int{1, 2, 3, 8}[rng.IntN(4)]
	o.Edits, o.Rollback, o.Jump = 0, 0, 60_000
	o.Temporary = Rate(100 + rng.IntN(500)) // many deliveries are pending for a while
	if rng.IntN(3) > 0 {
		o = o.Whole(rng)
		f := &o.Language
		f.Caps = f.Caps || rng.IntN(2) == 0
		f.BulkScans, f.Levels, f.Made, f.Calendar, f.Late = false, false, false, false, false
		o.Clock, o.Jump = min(o.Clock, 20), 60_000
	}
	if o.SinkCrash > 0 {
		o.SinkCrash = Rate(20 + rng.IntN(60))
	}
	return o
}
