package machine

import (
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/jsonvalue"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/internal/clip"
)

// ringedAtEntry is the number of the last event in the customer's rings when a chain
// enters now, plus one: of the events of the trigger's own millisecond a wait "since:
// entry" sees those behind it. The record being applied, which starts the chain, does not count.
func (m *Machine) ringedAtEntry() uint64 {
	last := m.c.Ringed
	if m.recordingEvent {
		last++
	}
	return last + 1
}

// startOf is the start of a chain that would begin now; byTime says that it is the planned
// instant. The trigger of an inactivity is the last event before the silence.
func (m *Machine) startOf(p *program.Program, trigger *event.Event) (at int64, byTime bool) {
	if _, silence := p.Trigger.(*program.InactivityTrigger); trigger != nil && !silence {
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
func (m *Machine) noteStart(p *program.Program, ch *customer.Chain, trigger *event.Event) {
	at, byTime := m.startOf(p, trigger)
	if ch.StartedAt = 0; byTime && ch.Start(trigger) != at {
		ch.StartedAt = at
	}
}

// beganLater says whether a chain began with something newer than what asks now to take
// its place.
func (m *Machine) beganLater(p *program.Program, ch *customer.Chain, trigger *event.Event) bool {
	at, _ := m.startOf(p, trigger)
	return at < ch.Start(event.DecodeBody(ch.Trigger))
}

// beforeStart says whether an event happened before the chain that the scope looks at
// began.
func (m *Machine) beforeStart(ch *customer.Chain, e *event.Event) bool {
	return e.Time < ch.Start(m.scope.Trigger.Event)
}

// identifier evaluates an expression as the text of a key; ok is false when it yields no
// scalar, or fails.
func (m *Machine) identifier(e *expr.Expr) (key string, ok bool) {
	if len(e.Path) > 0 { // as it was written: CEL has no numbers of twenty digits
		if v := m.scope.ValueAt(e.Path); v != nil {
			return jsonvalue.Text(v)
		}
	}
	v, _, err := e.Eval(m.scope)
	if err != nil || v == nil {
		return "", false
	}
	return expr.KeyFromValue(v)
}

// key evaluates the re-entry key over the trigger event.
func (m *Machine) key(p *program.Program, trigger *event.Event) (key string, ok bool) {
	if p.Reentry.Key == nil {
		return "", true
	}
	current := m.scope.Event.Event
	m.scope.Event.Set(trigger)
	key, ok = m.identifier(p.Reentry.Key)
	m.scope.Event.Set(current)
	return clip.Text(key, 256), ok
}
