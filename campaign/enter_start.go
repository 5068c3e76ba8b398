package campaign

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
