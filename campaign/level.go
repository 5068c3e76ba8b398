package campaign

import (
	"slices"
	"sort"

	"github.com/google/cel-go/common/types"

	"github.com/nudge-engine/nudge/internal/wire"
)

// maxStates bounds each kind of state that triggers keep of a customer, one a campaign.
const maxStates = 1000

// Level is what must be remembered of a segment or threshold trigger from one record
// to the next: of most nothing, since the value before a record can be computed.
type Level struct {
	Campaign string
	Spec     uint64
	// On says that the customer is in the segment, or that the value is beyond the
	// threshold and has not gone back far enough.
	On bool
	// Due is when the value may change without a record, ms; 0: it does not.
	Due int64
}

// sight is the value of a segment (1: in it) or threshold at an instant.
type sight struct {
	program *Program
	at      int32 // its place among the watchers of the event
	value   float64
	known   bool // false: a value it needs is missing
}

// lookBefore remembers the values, before a record, of what the record can change. A
// customer who is new was in no segment.
func (m *Machine) lookBefore(w *watchers, created bool) {
	m.before = m.before[:0]
	if len(w.looking) == 0 {
		return
	}
	m.found = w.look(m, created, m.found[:0])
	for _, at := range m.found {
		p := w.programs[at]
		s := sight{program: p, known: true}
		if _, is := p.Trigger.(*SegmentTrigger); !is || !created {
			s = m.sight(p)
		}
		s.at = at
		m.before = append(m.before, s)
	}
}

// sightBefore is what lookBefore saw of a program. A segment at which it did not look
// did not hold; the value of a threshold was measured for all of its kind.
func (m *Machine) sightBefore(p *Program) sight {
	at := sort.Search(len(m.before), func(i int) bool { return m.before[i].program.Name >= p.Name })
	if at < len(m.before) && m.before[at].program == p {
		return m.before[at]
	}
	if t, ok := p.Trigger.(*ThresholdTrigger); ok {
		h := m.heightOf(t.Value)
		return sight{program: p, value: h.value, known: h.known}
	}
	return sight{program: p, known: true}
}

// sight computes the present value of a segment or threshold.
func (m *Machine) sight(p *Program) sight {
	s := sight{program: p}
	switch t := p.Trigger.(type) {
	case *SegmentTrigger:
		s.known = true
		if m.holds(t.When, p.Name) {
			s.value = 1
		}
	case *ThresholdTrigger:
		v, missing, err := t.Value.eval(m.scope)
		if err != nil {
			m.decide(Decision{Campaign: p.Name, Kind: Erred, Reason: ReasonEvaluation, Detail: clip(err.Error(), 200)})
		}
		if err != nil || missing {
			return s
		}
		if s.value, s.known = asNumber(v); !s.known && v != types.NullValue {
			m.noteOnce(ReasonNumber, p.Name, "threshold")
		}
	default: // the others look at no value
	}
	return s
}

// crossed compares the value of a segment or threshold with that before the record.
func (m *Machine) crossed(p *Program) bool {
	before, after := m.sightBefore(p), m.sight(p)
	if t, ok := p.Trigger.(*SegmentTrigger); ok {
		was := before.value == 1
		if l := m.c.level(p.Name); l != nil && l.Spec == t.spec {
			was = l.On
		}
		is := after.value == 1
		m.keepLevel(p, t.spec, is, false)
		return was != is && is != t.OnLeave
	}
	if t, ok := p.Trigger.(*ThresholdTrigger); ok {
		return m.crossedLevel(p, t, before, after)
	}
	return false
}

func (m *Machine) crossedLevel(p *Program, t *ThresholdTrigger, before, after sight) (fires bool) {
	on := before.known && t.beyond(before.value)
	l := m.c.level(p.Name)
	stored := l != nil && l.Spec == t.spec
	if stored {
		on = l.On
	}
	if after.known {
		switch is := t.beyond(after.value); {
		case on:
			on = !t.back(after.value)
		case is:
			on = true
			// What was missing counts as low: it can cross up, not down.
			fires = !t.Down || before.known || stored
		}
	}
	// What the value alone does not show next time: that the level was reached before,
	// or that the value, missing now, was high.
	hidden := on && (!after.known || !t.beyond(after.value)) ||
		t.Down && !after.known && (before.known || stored)
	m.keepLevel(p, t.spec, on, hidden)
	return fires
}

// beyond says whether a value is at the level or on the far side of it.
func (t *ThresholdTrigger) beyond(v float64) bool {
	if t.Down {
		return v <= t.At
	}
	return v >= t.At
}

// back says whether a value has gone back far enough to cross again.
func (t *ThresholdTrigger) back(v float64) bool {
	if t.Down {
		return v > decimal(t.At+t.Hysteresis)
	}
	return v < decimal(t.At-t.Hysteresis)
}

func (c *Customer) level(campaign string) *Level {
	i := sort.Search(len(c.Levels), func(i int) bool { return c.Levels[i].Campaign >= campaign })
	if i < len(c.Levels) && c.Levels[i].Campaign == campaign {
		return &c.Levels[i]
	}
	return nil
}

// keepLevel stores the state of a trigger, or drops it where it need not be kept. That of
// one that changes with time is kept while it is on or will change: the value before a
// record does not show what a timer has seen of it.
func (m *Machine) keepLevel(p *Program, spec uint64, on, keep bool) {
	c, due := m.c, int64(0)
	if p.watchesClock() {
		due = p.clock().next(m.scope)
		keep = keep || on || due != 0 || m.profileChanged()
	}
	if !keep {
		m.dropLevel(p.Name)
		return
	}
	l := c.level(p.Name)
	if l == nil {
		c.Levels = inForce(m.set, c.Levels, func(l *Level) string { return l.Campaign })
		if len(c.Levels) >= maxStates {
			m.refuse(p, "", ReasonStates)
			return
		}
		i := sort.Search(len(c.Levels), func(i int) bool { return c.Levels[i].Campaign >= p.Name })
		c.Levels = slices.Insert(c.Levels, i, Level{})
		l = &c.Levels[i]
	}
	*l = Level{Campaign: p.Name, Spec: spec, On: on, Due: due}
}

// inForce drops the states of campaigns that are gone.
func inForce[T any](set *Set, all []T, campaign func(*T) string) []T {
	kept := all[:0]
	for i := range all {
		if set.byName[campaign(&all[i])] != nil {
			kept = append(kept, all[i])
		}
	}
	return kept
}

func appendLevels(c *Customer, b []byte) []byte {
	b = wire.AppendUint(b, uint64(len(c.Levels)))
	for _, l := range c.Levels {
		b = wire.AppendString(b, l.Campaign)
		b = wire.AppendFixed(b, l.Spec)
		b = wire.AppendBool(b, l.On)
	}
	return b
}

func decodeLevels(c *Customer, d *wire.Decoder, names Names) {
	for range d.Count(10) {
		c.Levels = append(c.Levels, Level{Campaign: names.of(d.Bytes()), Spec: d.Fixed(), On: d.Bool()})
	}
}
