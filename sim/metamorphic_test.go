package sim_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/sim"
	"github.com/nudge-engine/nudge/sim/audit"
	"github.com/nudge-engine/nudge/sim/workload"
)

const metamorphicSeeds = 20

// metamorphicMerges is how many seeds have customers who merge.
const metamorphicMerges = 6

// TestSameDeliveries: how a log is cut into partitions and frames, how often
// snapshots are taken and who is in memory changes no delivery, when each record
// of a customer has a log time of its own and ticks come at the due instants.
func TestSameDeliveries(t *testing.T) {
	lang := language(t)
	for seed := range uint64(metamorphicSeeds + metamorphicMerges) {
		var whole sim.Options
		merges := seed >= metamorphicSeeds
		if seed%2 == 1 {
			whole = whole.WholeLanguage(rand.New(rand.NewPCG(seed, 4)))
			whole.Language.BulkScans = false // when a customer's turn comes depends on the ticks
		}
		if merges {
			whole = whole.Merging(rand.New(rand.NewPCG(seed, 5)))
			whole.Identity.Erases = false // what is erased when depends on the order of questions
		}
		load := workload.Generate(rand.New(rand.NewPCG(seed, 1)), workload.Options{Features: whole.Language})
		if merges {
			workload.Identify(rand.New(rand.NewPCG(seed, 6)), &load, whole.Identity)
		}
		spread(&load)
		var want map[string][]string
		var first sim.Options
		for _, partitions := range []int{1, 4, 16} {
			for _, o := range []sim.Options{
				{Frame: 1},
				{Frame: 100, Memory: 1},
				{Frame: 1, Memory: 1, Snapshots: 86_400_000},
				{Frame: 100, Snapshots: 86_400_000},
			} {
				o.Partitions, o.SameFrame, o.HealEarly, o.Identity = partitions, true, true, whole.Identity
				w, err := sim.New(lang, rand.New(rand.NewPCG(seed, 2)), o, load)
				if err != nil {
					t.Fatal(err)
				}
				if err := w.Run(); err != nil {
					t.Fatalf("seed %d, options %s: %v\n%s", seed, o, err, strings.Join(w.Trace(), "\n"))
				}
				got, err := w.Delivered()
				if err != nil {
					t.Fatal(err)
				}
				if want == nil {
					want, first = got, o
				}
				if !reflect.DeepEqual(got, want) {
					t.Fatalf("seed %d: options %s and %s deliver\n%v\n%v", seed, first, o, want, got)
				}
			}
		}
	}
}

// spread gives each record of a customer an instant of its own.
func spread(load *workload.Workload) {
	last, apart := map[string]int64{}, int64(1)
	person := func(id string) string { return id }
	if slices.ContainsFunc(load.Calls, func(c workload.Call) bool { return c.Event.Type == audit.TypeAlias }) {
		// Customers who merge are one; between two of their records what one leads to arrives.
		apart, person = 20, func(string) string { return "" }
	}
	for i := range load.Calls {
		c := &load.Calls[i]
		who := person(c.Event.Customer)
		c.At = max(c.At, last[who]+apart)
		last[who] = c.At
	}
	slices.SortStableFunc(load.Calls, func(a, b workload.Call) int { return int(a.At - b.At) })
}

// TestOptionsPrint: a failure shows what its world was like.
func TestOptionsPrint(t *testing.T) {
	if s := fmt.Sprint(sim.Options{Partitions: 3}); !strings.Contains(s, "Partitions:3") {
		t.Errorf("options print as %q", s)
	}
}
