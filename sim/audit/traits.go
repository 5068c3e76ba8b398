package audit

import "slices"

// traitChange is a trait that has another value than before the current record; nil is a missing
// value.
type traitChange struct {
	path     string
	from, to any
}

// setTrait sets a trait, or removes it if the value is nil, and keeps what changed for the
// triggers.
func (c *customer) setTrait(name string, value any) {
	old := c.traits[name]
	if value == nil {
		delete(c.traits, name)
	} else {
		c.traits[name] = value
	}
	at := slices.IndexFunc(c.changes, func(ch traitChange) bool { return ch.path == name })
	if at < 0 {
		at = len(c.changes)
		c.changes = append(c.changes, traitChange{path: name, from: old})
	}
	c.changes[at].to = value
	if same(c.changes[at].from, value) { // the record as a whole did not change it
		c.changes = slices.Delete(c.changes, at, at+1)
	}
}

// same compares plain values: texts, numbers and booleans. Values of other types are never
// compared.
func same(a, b any) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return compare(a, "==", b)
}

// traitTime is when a trait was set: the event time of the call and the log time at which it came.
type traitTime struct{ eventTime, logTime int64 }

// An identify call does not overwrite a trait if a newer call set it within the last traitMemory of
// log time and the call is older than that one by more than clockTolerance, by event time. Clocks
// of clients differ, hence the tolerance. Both are in ms.
const (
	clockTolerance = 60_000
	traitMemory    = 24 * 3_600_000
)

// mayOverwrite reports whether an identify call may set a trait.
func (c *customer) mayOverwrite(name string, e *Event) bool {
	known, ok := c.traitTimes[name]
	if !ok || e.Time >= known.eventTime {
		return true
	}
	if e.Time < known.eventTime-clockTolerance && c.a.now < known.logTime+traitMemory {
		c.a.note(NoteOldTrait)
		return false
	}
	c.a.note(NoteOldTraitSet)
	return true
}
