package machine

import (
	"slices"
	"sort"

	"github.com/google/cel-go/common/types"

	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
)

// maxStates bounds each kind of state that triggers keep of a customer, one for each campaign.
const maxStates = 1000

// observation is the value of a segment (1: in it, 0: not) or of a threshold, at an instant.
type observation struct {
	program *program.Program
	// at is the place of the program among those that look at the event.
	at    int32
	value float64
	// known is false when a value that the threshold needs is missing.
	known bool
}

// holds reports whether a customer is where the trigger would have brought them: inside of
// the segment, or beyond the threshold. A trigger on leaving never holds: who is outside may never
// have been inside.
func (s observation) holds() bool {
	switch t := s.program.Level().(type) {
	case *program.SegmentTrigger:
		return s.value == 1 && !t.OnLeave
	case *program.ThresholdTrigger:
		return s.known && t.Beyond(s.value)
	}
	return false
}

// observeBefore remembers the values, before a record, that the record can change. A customer who is
// new was in no segment, so that the first record can bring them into one.
func (ts *triggers) observeBefore(w *active.TriggerIndex, created bool) {
	ts.before = ts.before[:0]
	if len(w.Looking) == 0 {
		return
	}
	for _, at := range ts.looking(w, created) {
		p := w.Programs[at]
		s := observation{program: p, known: true}
		// The scope shows the customer as they are before the record.
		if _, is := p.Trigger.(*program.SegmentTrigger); !is || !created {
			s = ts.sight(p)
		}
		s.at = at
		ts.before = append(ts.before, s)
	}
}

// observeBoth remembers the values before two customers become one: those of the current one,
// or those of the other where only that was in the segment or beyond the threshold. So a merge
// fires nothing for what either of them had reached.
func (ts *triggers) observeBoth(other *customer.Customer, programs []*program.Program, created bool) {
	watching := active.NewTriggerIndex(programs, "", true) // all of them: two customers differ in everything
	ts.observeBefore(watching, created)
	own := ts.before
	// observeBefore reuses ts.before; what was seen of the known one is kept in own.
	ts.before = nil
	ts.scope.Customer.Set(other)
	ts.observeBefore(watching, false)
	ts.scope.Customer.Set(ts.c)
	for i := range own {
		if wasBeyond(own[i].program, &ts.before[i], other) {
			// The other one's observation takes the place of what is stored for the known one.
			ts.dropLevel(own[i].program.Name)
			own[i] = observation{program: own[i].program, value: ts.before[i].value, known: ts.before[i].known}
			if _, is := own[i].program.Trigger.(*program.SegmentTrigger); is {
				own[i].value, own[i].known = 1, true
			}
		}
	}
	ts.before = own
}

// wasBeyond reports whether the other customer was in a segment that fires on entering, or beyond
// a threshold.
func wasBeyond(p *program.Program, s *observation, other *customer.Customer) bool {
	l := other.Level(p.Name)
	switch t := p.Level().(type) {
	case *program.SegmentTrigger:
		return !t.OnLeave && (s.value == 1 || l != nil && l.Spec == t.Spec && l.On)
	case *program.ThresholdTrigger:
		return s.known && t.Beyond(s.value)
	}
	return false
}

// seenBefore returns what observeBefore saw of a program; the zero value where it did not look.
func (ts *triggers) seenBefore(p *program.Program) observation {
	for i := range ts.before {
		if ts.before[i].program == p {
			return ts.before[i]
		}
	}
	return observation{}
}

// sightBefore returns the value of a program before the record. observeBefore leaves segments out that
// cannot have held then; the value of a threshold was measured once for all with the same expression.
func (ts *triggers) sightBefore(p *program.Program) observation {
	at := sort.Search(len(ts.before), func(i int) bool { return ts.before[i].program.Name >= p.Name })
	if at < len(ts.before) && ts.before[at].program == p {
		return ts.before[at]
	}
	if t, ok := p.Trigger.(*program.ThresholdTrigger); ok {
		// Thresholds over one expression were measured together.
		h := ts.heights.Of(t.Value)
		return observation{program: p, value: h.Value, known: h.Known}
	}
	return observation{program: p, known: true}
}

// sight computes the present value of a segment or threshold. An error, or a value that is no number,
// is recorded; the value is unknown then.
func (ts *triggers) sight(p *program.Program) observation {
	s := observation{program: p}
	switch t := p.Level().(type) {
	case *program.SegmentTrigger:
		s.known = true
		if ts.holds(t.When, p.Name) {
			s.value = 1
		}
	case *program.ThresholdTrigger:
		v, missing, err := t.Value.Eval(ts.scope)
		if err != nil {
			ts.out.evaluationFailed(p.Name, err)
		}
		if err != nil || missing {
			return s
		}
		if s.value, s.known = expr.AsNumber(v); !s.known && v != types.NullValue {
			ts.out.noteOnce(output.ReasonNumber, p.Name, "threshold")
		}
	}
	return s
}

// crossed compares the value of a segment or threshold with that before the record, stores what the
// next comparison needs, and reports whether the trigger fires. A stored side counts more than the
// value before the record: it also knows what a timer has seen.
func (ts *triggers) crossed(p *program.Program) bool {
	before, after := ts.sightBefore(p), ts.sight(p)
	switch t := p.Level().(type) {
	case *program.SegmentTrigger:
		// A stored side of an earlier predicate (another Spec) says nothing about this one.
		was := before.value == 1
		if l := ts.c.Level(p.Name); l != nil && l.Spec == t.Spec {
			was = l.On
		}
		is := after.value == 1
		ts.keepLevel(p, t.Spec, is, false)
		return was != is && is != t.OnLeave
	case *program.ThresholdTrigger:
		return ts.crossedLevel(p, t, before, after)
	}
	return false
}

// crossedLevel is crossed for a threshold. It fires when the value comes to the level from the other
// side; until the value has gone back by the hysteresis the customer stays beyond the level, so that a
// value that swings around it fires once.
func (ts *triggers) crossedLevel(
	p *program.Program,
	t *program.ThresholdTrigger,
	before, after observation,
) (fires bool) {
	// on: the value counts as beyond the level, also while it swings back by less than the
	// hysteresis.
	on := before.known && t.Beyond(before.value)
	l := ts.c.Level(p.Name)
	stored := l != nil && l.Spec == t.Spec
	if stored {
		on = l.On
	}
	// While the value is missing, nothing is crossed.
	if after.known {
		switch is := t.Beyond(after.value); {
		case on:
			on = !t.Back(after.value)
		case is:
			on = true
			// What was missing counts as low: it can cross up, not down.
			fires = !t.Down || before.known || stored
		}
	}
	// What the value alone does not show next time: that the level was reached before,
	// or that the value, missing now, was high.
	hidden := on && (!after.known || !t.Beyond(after.value)) ||
		t.Down && !after.known && (before.known || stored)
	ts.keepLevel(p, t.Spec, on, hidden)
	return fires
}

// keepLevel stores on which side of its value the customer is (on) if keep says so, else drops it: most
// values tell it by themselves next time. The side of a value that changes with time is kept while it
// is on or will change, with the instant of the next change as its timer: the value before a record
// does not show what a timer has seen of it.
func (ts *triggers) keepLevel(p *program.Program, spec uint64, on, keep bool) {
	c, due := ts.c, int64(0)
	if p.WatchesClock() {
		// The instant at which time alone may change the value; 0: at none.
		due = p.Clock().Next(ts.scope)
		keep = keep || on || due != 0 || ts.profileChanged()
	}
	if !keep {
		ts.dropLevel(p.Name)
		return
	}
	l := c.Level(p.Name)
	if l == nil {
		// What campaigns remember that are gone makes room.
		c.Levels = active.InForce(ts.set, c.Levels, func(l *customer.Latch) string { return l.Campaign })
		if len(c.Levels) >= maxStates {
			ts.out.refuse(p, output.ReasonStates)
			return
		}
		i := sort.Search(len(c.Levels), func(i int) bool { return c.Levels[i].Campaign >= p.Name })
		c.Levels = slices.Insert(c.Levels, i, customer.Latch{})
		l = &c.Levels[i]
	}
	*l = customer.Latch{Campaign: p.Name, Spec: spec, On: on, Due: due}
}

// fireLevel looks at a value at the instant at which it may have changed: as of that
// instant, also when the timer comes late, so that a downtime leaves nothing out.
//
// It measures against the stored side only: nothing was observed before, since there is no record.
func (ts *triggers) fireLevel(campaign string) {
	l, p := ts.c.Level(campaign), ts.set.ByName[campaign]
	if p == nil {
		ts.dropLevel(campaign)
		return
	}
	if !p.Watches() || !p.WatchesClock() || l.Spec != p.LevelSpec() {
		l.Due = 0 // the task that forgets what nothing looks at will drop it
		return
	}
	ts.scope.Chain.Chain = nil
	ts.scope.Event.Set(nil)
	ts.before = ts.before[:0]
	ts.heights.Reset()
	// now - customer.last(...) is measured as of the instant that was planned.
	ts.scope.Now = l.Due
	if ts.trace != nil {
		ts.explain(p, nil)
	}
	fires := ts.crossed(p)
	ts.scope.Now = ts.now
	if fires {
		if ts.trace != nil {
			ts.trace.Fires(p.Name)
		}
		ts.entries.enterByTime(p, nil)
	}
}

// observe notes, when a campaign becomes active, on which side the customer is of a value that
// changes with time, and arms the timer. It fires nothing: what holds already is no change.
func (ts *triggers) observe(p *program.Program) {
	if !p.WatchesClock() {
		return
	}
	l := ts.c.Level(p.Name)
	known := l != nil && l.Spec == p.LevelSpec()
	ts.scope.Now = ts.asOf
	defer func() { ts.scope.Now = ts.now }()
	t, is := p.Trigger.(*program.ThresholdTrigger)
	switch {
	case is && known: // from where it was, the value moves on
		ts.crossedLevel(p, t, observation{}, ts.sight(p))
	case is:
		s := ts.sight(p)
		ts.keepLevel(p, t.Spec, s.known && t.Beyond(s.value), false)
	case !known: // a segment that was observed before keeps what was seen
		ts.keepLevel(p, p.LevelSpec(), ts.sight(p).value == 1, false)
	}
}

// dropLevel forgets on which side of a campaign's value the customer is, and its timer.
func (ts *triggers) dropLevel(campaign string) {
	c := ts.c
	i := sort.Search(len(c.Levels), func(i int) bool { return c.Levels[i].Campaign >= campaign })
	if i < len(c.Levels) && c.Levels[i].Campaign == campaign {
		c.Levels = append(c.Levels[:i], c.Levels[i+1:]...)
	}
}
