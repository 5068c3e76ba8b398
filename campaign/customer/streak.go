package customer

import (
	"sort"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/wire"
)

// streakSlack is the number of events beyond twice the length of a streak that are kept, so that an
// event that arrives late still finds its place between its neighbours.
const streakSlack = 16

// Streak is the progress of a customer in a streak trigger ("three purchases with at most a week
// between two"), by event time.
//
// Invariant: Marks are sorted by Time, those of one instant in order of arrival; none is before After;
// no run of them is complete.
type Streak struct {
	Campaign string
	// Spec is a hash of the trigger's definition; state with another hash is not used.
	Spec uint64
	// After is the time in ms of the last event of the last complete streak; older events no longer
	// count.
	After int64
	Marks []Mark
}

// Mark is one event that counts for a streak, or one that breaks it.
type Mark struct {
	Time  int64 // event time, ms
	Break bool
}

// Mark adds an event at its place and reports whether this completed a streak. A complete streak is
// removed and its events do not count for the next one. length is the number of events of a streak,
// maxGap the longest time between two of them in ms (0: any).
func (s *Streak) Mark(mark Mark, length int, maxGap int64) bool {
	if mark.Time < s.After {
		return false
	}
	i := sort.Search(len(s.Marks), func(i int) bool { return s.Marks[i].Time > mark.Time })
	s.Marks = append(s.Marks, Mark{})
	copy(s.Marks[i+1:], s.Marks[i:])
	s.Marks[i] = mark
	// Count runs from the oldest event on, because a late event may complete or break a run in the
	// middle.
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
			// Begin again with what is left.
			i = -1
		}
	}
	// Forget the oldest events beyond the limit. After moves, so that nothing is added before them.
	if over := len(s.Marks) - 2*length - streakSlack; over > 0 {
		s.After = s.Marks[over-1].Time
		s.Marks = append(s.Marks[:0], s.Marks[over:]...)
	}
	return complete
}

// appendStreaks appends the stored form of c.Streaks. Times are differences, which makes them short.
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

// decodeStreaks reads what appendStreaks wrote.
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
