package campaign

import "github.com/nudge-engine/nudge/internal/clip"

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
