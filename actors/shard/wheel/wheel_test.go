package wheel

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"testing"
)

// The wheel gives the same order as a sorted list, for timers near and far,
// moved, removed and armed in the past.
func TestWheelAgreesWithASortedList(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		w := &Wheel{now: 1_772_359_200_000}
		start := w.now
		timers := make([]*Timer, 50)
		for i := range timers {
			timers[i] = &Timer{Key: fmt.Sprintf("c%02d", i), level: notArmed}
		}
		model := map[*Timer]int64{}
		clock := start
		for range 400 {
			x := timers[rng.IntN(len(timers))]
			switch rng.IntN(4) {
			case 0:
				w.Disarm(x)
				delete(model, x)
			case 1:
				clock += rng.Int64N(1 << (rng.IntN(40) + 1))
				drain(t, seed, w, model, clock)
			default:
				due := clock + rng.Int64N(1<<(rng.IntN(42)+1)) - rng.Int64N(1000)
				w.Arm(x, due)
				model[x] = due
			}
			checkNext(t, seed, w, model)
		}
		drain(t, seed, w, model, clock+1<<44)
		if w.size != 0 {
			t.Fatalf("seed %d: %d timers left", seed, w.size)
		}
	}
}

func checkNext(t *testing.T, seed uint64, w *Wheel, model map[*Timer]int64) {
	t.Helper()
	want := int64(0)
	for _, due := range model {
		if want == 0 || due < want {
			want = due
		}
	}
	if got := w.Next(); got != want || w.size != len(model) {
		t.Fatalf("seed %d: next %d, size %d; want %d, %d", seed, got, w.size, want, len(model))
	}
}

func drain(t *testing.T, seed uint64, w *Wheel, model map[*Timer]int64, limit int64) {
	t.Helper()
	var want []*Timer
	for x, due := range model {
		if due <= limit {
			want = append(want, x)
		}
	}
	sort.Slice(want, func(i, j int) bool {
		a, b := want[i], want[j]
		return model[a] < model[b] || model[a] == model[b] && a.Key < b.Key
	})
	for _, x := range want {
		if got := w.Pop(limit); got != x {
			t.Fatalf("seed %d: unexpected timer %+v; want %+v", seed, got, x)
		}
		delete(model, x)
	}
	if got := w.Pop(limit); got != nil {
		t.Fatalf("seed %d: unexpected timer %+v; want none", seed, got)
	}
}
