package dedupe

import (
	"math/rand/v2"
	"testing"
)

// The set agrees with a map, also where many ids want the same place.
func TestIDSetAgreesWithAMap(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var set idSet
		known := map[uint64]bool{}
		for step := range 4000 {
			id := rng.Uint64N(1 << (1 + rng.UintN(11)))
			if rng.UintN(2) == 0 {
				id <<= 32 // all at the first place
			}
			if rng.UintN(5) < 3 == (step < 2500) { // grows, then shrinks
				if set.add(id) == known[id] {
					t.Fatalf("seed %d: add(%d) of one that is there: %v", seed, id, known[id])
				}
				known[id] = true
			} else {
				set.remove(id)
				delete(known, id)
			}
			if set.len() != len(known) {
				t.Fatalf("seed %d: %d ids, the map has %d", seed, set.len(), len(known))
			}
		}
		for id := range known {
			if set.add(id) {
				t.Fatalf("seed %d: %d is lost", seed, id)
			}
		}
	}
}
