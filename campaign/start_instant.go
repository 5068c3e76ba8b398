package campaign

import "github.com/nudge-engine/nudge/internal/wire"

// start is the instant, by event time in ms, from which events concern a chain: that of
// its trigger event, or the planned instant where time started it. What happened before
// says nothing about the chain, whenever it arrives.
func (ch *Chain) start(trigger *Event) int64 {
	switch {
	case ch.startedAt != 0:
		return ch.startedAt
	case trigger != nil:
		return trigger.Time
	}
	return ch.EnteredAt
}

// entryStart is the start that the chain had at its entry: what a wait "since: entry" goes
// by, also when the chain took a new trigger since.
func (ch *Chain) entryStart(trigger *Event) int64 {
	if ch.firstStart != 0 {
		return ch.firstStart
	}
	return ch.start(trigger)
}

// startOf is the start of a chain that would begin now; byTime says that it is the planned
// instant. The trigger of an inactivity is the last event before the silence.
func (m *Machine) startOf(p *Program, trigger *Event) (at int64, byTime bool) {
	if _, silence := p.Trigger.(*InactivityTrigger); trigger != nil && !silence {
		return trigger.Time, false
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

// startSection keeps the instant at which time started a chain.
//
//nudge:constant read only
var startSection = section[*Chain]{
	tag:    38,
	has:    func(ch *Chain) bool { return ch.startedAt != 0 },
	append: func(ch *Chain, b []byte) []byte { return wire.AppendInt(b, ch.startedAt) },
	decode: func(ch *Chain, d *wire.Decoder, _ Names) { ch.startedAt = d.Int() },
}

// firstStartSection keeps the start that a chain had at its entry.
//
//nudge:constant read only
var firstStartSection = section[*Chain]{
	tag:    39,
	has:    func(ch *Chain) bool { return ch.firstStart != 0 },
	append: func(ch *Chain, b []byte) []byte { return wire.AppendInt(b, ch.firstStart) },
	decode: func(ch *Chain, d *wire.Decoder, _ Names) { ch.firstStart = d.Int() },
}
