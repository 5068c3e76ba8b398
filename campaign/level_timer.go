package campaign

import (
	"github.com/nudge-engine/nudge/internal/wire"
)

// clock is that of the program's trigger; without windows and passages for triggers whose
// value does not change with time.
func (p *Program) clock() *valueClock {
	switch t := p.Trigger.(type) {
	case *SegmentTrigger:
		return &t.clock
	case *ThresholdTrigger:
		return &t.clock
	default: // the others have no value
		return new(valueClock)
	}
}

// watchesClock says that the value of the program's trigger can change without a record.
func (p *Program) watchesClock() bool {
	c := p.clock()
	return len(c.windows)+len(c.passages) > 0
}

// levelSpec is the spec of a trigger that looks at a value, 0 of the others.
func (p *Program) levelSpec() uint64 {
	switch t := p.Trigger.(type) {
	case *SegmentTrigger:
		return t.spec
	case *ThresholdTrigger:
		return t.spec
	default:
		return 0
	}
}

// fireLevel looks at a value at the instant at which it may have changed: as of that
// instant, also when the timer comes late, so that a downtime leaves nothing out.
func (m *Machine) fireLevel(campaign string) {
	l, p := m.c.level(campaign), m.set.byName[campaign]
	if p == nil || !p.watches() || !p.watchesClock() || l.Spec != p.levelSpec() {
		m.dropLevel(campaign)
		return
	}
	m.scope.chain.c = nil
	m.scope.event.set(nil)
	m.before, m.heights = m.before[:0], m.heights[:0]
	m.scope.now = l.Due
	if m.trace != nil {
		m.traceTrigger(p, nil)
	}
	fires := m.crossed(p)
	m.scope.now = m.now
	if fires {
		if m.trace != nil {
			m.trace.fires(p.Name)
		}
		m.enterUnlessLate(p, nil)
	}
}

// observe notes, when a campaign becomes active, where a customer stands with a value that
// changes with time, and arms the timer: what is so already is no change.
func (m *Machine) observe(p *Program) {
	if !p.watchesClock() {
		return
	}
	if l := m.c.level(p.Name); l != nil && l.Spec == p.levelSpec() {
		return // a record came first
	}
	m.scope.now = m.asOf
	s := m.sight(p)
	on := s.value == 1
	if t, is := p.Trigger.(*ThresholdTrigger); is {
		on = s.known && t.beyond(s.value)
	}
	m.keepLevel(p, p.levelSpec(), on, false)
	m.scope.now = m.now
}

// levelTimerSection keeps when the values of triggers may change.
//
//nudge:constant read only
var levelTimerSection = section[*Customer]{
	tag: 26,
	has: func(c *Customer) bool {
		for i := range c.Levels {
			if c.Levels[i].Due != 0 {
				return true
			}
		}
		return false
	},
	append: func(c *Customer, b []byte) []byte {
		for i := range c.Levels { // as many as there are levels, in their order
			b = wire.AppendInt(b, c.Levels[i].Due)
		}
		return b
	},
	decode: func(c *Customer, d *wire.Decoder, _ Names) {
		for i := range c.Levels { // their section comes before this one
			c.Levels[i].Due = d.Int()
		}
	},
}
