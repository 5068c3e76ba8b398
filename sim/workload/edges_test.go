package workload_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/sim/workload"
)

// TestEdges: what is added is in order, is the same for the same seed, and leaves the calls
// and campaigns that were there as they were.
func TestEdges(t *testing.T) {
	for seed := range uint64(seeds) {
		before, w := generate(seed), generate(seed)
		workload.Edges(rand.New(rand.NewPCG(seed, 9)), &w)
		again := generate(seed)
		workload.Edges(rand.New(rand.NewPCG(seed, 9)), &again)
		if !bytes.Equal(text(t, w), text(t, again)) {
			t.Fatalf("seed %d gives two workloads", seed)
		}
		byTime := func(x, y workload.Call) int { return cmp.Compare(x.At, y.At) }
		if !slices.IsSortedFunc(w.Calls, byTime) || !slices.IsSortedFunc(w.Broadcasts, byTime) {
			t.Errorf("seed %d: calls or broadcasts out of order", seed)
		}
		added := func(c workload.Call) bool { return strings.HasPrefix(c.Event.Customer, "edge-") }
		if n := len(w.Calls) - len(before.Calls); n == 0 || len(w.Broadcasts) != 2 || len(w.Edits) != 1 {
			t.Errorf("seed %d: %d calls, %d broadcasts and %d edits added", seed, n, len(w.Broadcasts), len(w.Edits))
		}
		w.Calls = slices.DeleteFunc(w.Calls, added)
		w.Campaigns = w.Campaigns[:len(before.Campaigns)]
		if !bytes.Equal(text(t, w.Calls), text(t, before.Calls)) ||
			!bytes.Equal(text(t, w.Campaigns), text(t, before.Campaigns)) {
			t.Errorf("seed %d: what was there has changed", seed)
		}
	}
}

func text(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
