package customer

import (
	"sort"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/wire"
)

// streakSlack is how many events beyond twice the length of a streak are kept, so
// that late ones find their place.
const streakSlack = 16

// Streak is where a customer stands with a streak trigger, by event time.
//
// Invariant: Marks are sorted by Time, those of one instant in the order in which
// they came; none is before After; no run of them is complete.
type Streak struct {
	Campaign string
	Spec     uint64
	After    int64 // the last event of the last streak, ms: older ones no longer count
	Marks    []Mark
}

// Mark is one event of a streak, or one that breaks it.
type Mark struct {
	Time  int64 // event time, ms
	Break bool
}

// Mark puts an event in its place and says whether that completed a streak, which then
// counts no more.
func (s *Streak) Mark(mark Mark, length int, maxGap int64) bool {
	if mark.Time < s.After {
		return false
	}
	i := sort.Search(len(s.Marks), func(i int) bool { return s.Marks[i].Time > mark.Time })
	s.Marks = append(s.Marks, Mark{})
	copy(s.Marks[i+1:], s.Marks[i:])
	s.Marks[i] = mark
	complete, run := false, 0
	for i := 0; i < len(s.Marks); i++ {
		at := s.Marks[i]
		switch {
		case at.Break:
			run = 0
			continue
		case run > 0 && maxGap > 0 && at.Time-s.Marks[i-1].Time > maxGap:
			run = 1
		default:
			run++
		}
		if run == length {
			complete, run = true, 0
			s.After = at.Time
			s.Marks = append(s.Marks[:0], s.Marks[i+1:]...)
			i = -1
		}
	}
	if over := len(s.Marks) - 2*length - streakSlack; over > 0 {
		s.After = s.Marks[over-1].Time
		s.Marks = append(s.Marks[:0], s.Marks[over:]...)
	}
	return complete
}

func appendStreaks(c *Customer, b []byte) []byte {
	b = wire.AppendUint(b, uint64(len(c.Streaks)))
	for i := range c.Streaks {
		s := &c.Streaks[i]
		b = wire.AppendString(b, s.Campaign)
		b = wire.AppendFixed(b, s.Spec)
		b = wire.AppendInt(b, s.After)
		b = wire.AppendUint(b, uint64(len(s.Marks)))
		last := s.After
		for _, m := range s.Marks {
			b = wire.AppendInt(b, m.Time-last)
			b = wire.AppendBool(b, m.Break)
			last = m.Time
		}
	}
	return b
}

func decodeStreaks(c *Customer, d *wire.Decoder, names event.Names) {
	for range d.Count(11) {
		s := Streak{Campaign: names.Of(d.Bytes()), Spec: d.Fixed(), After: d.Int()}
		last := s.After
		for range d.Count(2) {
			m := Mark{Time: last + d.Int(), Break: d.Bool()}
			s.Marks = append(s.Marks, m)
			last = m.Time
		}
		c.Streaks = append(c.Streaks, s)
	}
}
