package sim_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/sim"
	"github.com/nudge-engine/nudge/sim/workload"
)

const metamorphicSeeds = 20

// TestSameDeliveries: how a log is cut into partitions and frames, how often
// snapshots are taken and who is in memory changes no delivery, when each record
// of a customer has a log time of its own and ticks come at the due instants.
func TestSameDeliveries(t *testing.T) {
	lang := language(t)
	for seed := range uint64(metamorphicSeeds) {
		var whole sim.Options
		if seed%2 == 1 {
			whole = whole.Whole(rand.New(rand.NewPCG(seed, 4)))
			whole.Language.Tours = false // when a customer's turn comes depends on the ticks
		}
		load := workload.Generate(rand.New(rand.NewPCG(seed, 1)), workload.Options{Features: whole.Language})
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
				o.Partitions, o.SameFrame, o.HealEarly = partitions, true, true
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
	last := map[string]int64{}
	for i := range load.Calls {
		c := &load.Calls[i]
		c.At = max(c.At, last[c.Event.Customer]+1)
		last[c.Event.Customer] = c.At
	}
	slices.SortStableFunc(load.Calls, func(a, b workload.Call) int { return int(a.At - b.At) })
}

// TestOptionsPrint: a failure shows what its world was like.
func TestOptionsPrint(t *testing.T) {
	if s := fmt.Sprint(sim.Options{Partitions: 3}); !strings.Contains(s, "Partitions:3") {
		t.Errorf("options print as %q", s)
	}
}
