package actors

import (
	"math/rand/v2"
	"strconv"
	"testing"
)

// BenchmarkWheel arms a timer within a day and fires those that are due, a million in
// the wheel.
func BenchmarkWheel(b *testing.B) {
	const timers, day = 1_000_000, 24 * 3600 * 1000
	rng := rand.New(rand.NewPCG(1, 1))
	var w wheel
	all := make([]timer, timers)
	for i := range all {
		all[i] = timer{key: strconv.Itoa(i), level: notArmed}
		w.arm(&all[i], 1+rng.Int64N(day))
	}
	now := int64(0)
	b.ResetTimer()
	for b.Loop() {
		t := w.pop(now)
		for t == nil {
			now += 100
			t = w.pop(now)
		}
		w.arm(t, now+1+rng.Int64N(day))
	}
}

// BenchmarkWheelNext asks when the next timer is due while the last that came is disarmed
// and armed again, a million within a month in the wheel.
func BenchmarkWheelNext(b *testing.B) {
	const timers, month = 1_000_000, 30 * 24 * 3600 * 1000
	w := wheel{now: 1_772_359_200_000}
	all := make([]timer, timers)
	for i := range all {
		all[i] = timer{key: strconv.Itoa(i), level: notArmed}
		w.arm(&all[i], w.now+month+int64(i))
	}
	for b.Loop() {
		t := &all[timers-1]
		w.arm(t, t.due+1)
		if w.next() != all[0].due {
			b.Fatal("another timer is the next")
		}
	}
}
