package wheel

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
	var w Wheel
	all := make([]Timer, timers)
	for i := range all {
		all[i] = Timer{Key: strconv.Itoa(i), level: notArmed}
		w.Arm(&all[i], 1+rng.Int64N(day))
	}
	now := int64(0)
	b.ResetTimer()
	for b.Loop() {
		t := w.Pop(now)
		for t == nil {
			now += 100
			t = w.Pop(now)
		}
		w.Arm(t, now+1+rng.Int64N(day))
	}
}

// BenchmarkWheelNext asks when the next timer is due while the last that came is disarmed
// and armed again, a million within a month in the wheel.
func BenchmarkWheelNext(b *testing.B) {
	const timers, month = 1_000_000, 30 * 24 * 3600 * 1000
	w := Wheel{now: 1_772_359_200_000}
	all := make([]Timer, timers)
	for i := range all {
		all[i] = Timer{Key: strconv.Itoa(i), level: notArmed}
		w.Arm(&all[i], w.now+month+int64(i))
	}
	for b.Loop() {
		t := &all[timers-1]
		w.Arm(t, t.Due+1)
		if w.Next() != all[0].Due {
			b.Fatal("another timer is the next")
		}
	}
}
