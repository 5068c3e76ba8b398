package customer

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// slowStreak looks at all events since the last streak, each time anew.
type slowStreak struct {
	all   []Mark
	after int64
}

func (s *slowStreak) mark(m Mark, length int, gap int64) bool {
	if m.Time < s.after {
		return false
	}
	s.all = append(s.all, m)
	slices.SortStableFunc(s.all, func(a, b Mark) int { return int(a.Time - b.Time) })
	for end := length - 1; end < len(s.all); end++ {
		run := s.all[end-length+1 : end+1]
		whole := true
		for i, x := range run {
			whole = whole && !x.Break && (i == 0 || x.Time-run[i-1].Time <= gap)
		}
		if whole {
			s.after = s.all[end].Time
			s.all = slices.Clone(s.all[end+1:])
			return true
		}
	}
	return false
}

func TestStreakAgreesWithASlowModel(t *testing.T) {
	// shows: 5
	fired := 0
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 1))
		length, gap := 2+r.IntN(4), int64(1+r.IntN(5))
		slow := slowStreak{}
		c := New("w", "ann", 0, 1)
		c.Streaks = []Streak{{Campaign: "three", Spec: 7}}
		for step := range 2*length + streakSlack {
			m := Mark{Time: int64(1 + r.IntN(40)), Break: r.IntN(6) == 0}
			want := slow.mark(m, length, gap)
			if got := c.Streaks[0].Mark(m, length, gap); got != want {
				t.Fatalf("seed %d step %d: %v; want %v", seed, step, got, want)
			}
			if want {
				fired++
			}
			if r.IntN(4) == 0 {
				c = restored(t, c)
			}
		}
	}
	if fired < 1000 {
		t.Errorf("only %d streaks", fired)
	}
}

func TestStreakIsBounded(t *testing.T) {
	s := Streak{}
	for i := range int64(10_000) {
		if s.Mark(Mark{Time: i * 100}, 3, 50) || len(s.Marks) > 2*3+streakSlack {
			t.Fatalf("at %d: %d marks", i, len(s.Marks))
		}
	}
	if s.Mark(Mark{Time: 5}, 3, 50) {
		t.Error("an event from before what is kept counted")
	}
}
