package campaign

import "github.com/nudge-engine/nudge/internal/clip"

// ringedAtEntry is the number of the last event in the customer's rings when a chain
// enters now, plus one: of the events of the trigger's own millisecond a wait "since:
// entry" sees those behind it. The record being applied, which starts the chain, does not count.
func (m *Machine) ringedAtEntry() uint64 {
	last := m.c.Ringed
	if m.ringing {
		last++
	}
	return last + 1
}

// startOf is the start of a chain that would begin now; byTime says that it is the planned
// instant. The trigger of an inactivity is the last event before the silence.
func (m *Machine) startOf(p *Program, trigger *Event) (at int64, byTime bool) {
	if _, silence := p.Trigger.(*InactivityTrigger); trigger != nil && !silence {
		return trigger.Time, false
	}
	if m.silence != 0 {
		return m.silence, true
	}
	if m.planned != 0 {
		return min(m.planned, m.now), true
	}
	return m.now, true
}

// noteStart keeps the start of a chain that begins now, or takes a new trigger, where its
// trigger does not tell it.
func (m *Machine) noteStart(p *Program, ch *Chain, trigger *Event) {
	at, byTime := m.startOf(p, trigger)
	if ch.startedAt = 0; byTime && ch.start(trigger) != at {
		ch.startedAt = at
	}
}

// beganLater says whether a chain began with something newer than what asks now to take
// its place.
func (m *Machine) beganLater(p *Program, ch *Chain, trigger *Event) bool {
	at, _ := m.startOf(p, trigger)
	return at < ch.start(decodeBody(ch.Trigger))
}

// beforeStart says whether an event happened before the chain that the scope looks at
// began.
func (m *Machine) beforeStart(ch *Chain, e *Event) bool {
	return e.Time < ch.start(m.scope.trigger.e)
}

// identifier evaluates an expression as the text of a key; ok is false when it yields no
// scalar, or fails.
func (m *Machine) identifier(e *Expr) (key string, ok bool) {
	if len(e.path) > 0 { // as it was written: CEL has no numbers of twenty digits
		if v := m.scope.valueAt(e.path); v != nil {
			return scalarText(v)
		}
	}
	v, _, err := e.eval(m.scope)
	if err != nil || v == nil {
		return "", false
	}
	return keyFromValue(v)
}

// key evaluates the re-entry key over the trigger event.
func (m *Machine) key(p *Program, trigger *Event) (key string, ok bool) {
	if p.Reentry.Key == nil {
		return "", true
	}
	current := m.scope.event.e
	m.scope.event.set(trigger)
	key, ok = m.identifier(p.Reentry.Key)
	m.scope.event.set(current)
	return clip.Text(key, 256), ok
}
