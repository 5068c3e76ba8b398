package audit

import (
	"reflect"
	"slices"
)

// drop has all customers forget what was asked for and is no more, and what triggers
// remembered: a visit of them all, which others have to wait for.
func (a *Auditor) drop(asked []counter, states bool) {
	counters := slices.ContainsFunc(asked, func(c counter) bool {
		return !slices.ContainsFunc(a.asked, func(o counter) bool { return o.kept() == c.kept() })
	})
	if counters {
		a.note(NoteDropped)
	}
	if counters || states {
		a.bulkScans = append(a.bulkScans, &bulkScan{forgets: true, due: a.now, left: slices.Clone(a.customers)})
	}
}

// remembers says whether the trigger of a campaign remembers of its customers what it is told
// no more when it looks no more: a streak, a threshold, or a segment that changes by time alone.
func (c Campaign) remembers() bool {
	return c.looks() && (c.Trigger.Kind == KindStreak || c.Trigger.Kind == KindThreshold ||
		c.Trigger.Kind == KindSegment && c.Trigger.windowed())
}

// alike says whether two triggers look at the same. A segment is one, whether it is entered or
// left.
func alike(a, b Trigger) bool {
	if a.Kind == KindSegment && b.Kind == KindSegment {
		return a.When.text() == b.When.text()
	}
	return reflect.DeepEqual(a, b)
}

// timed are the comparisons, or the value, of a segment or threshold.
func (t Trigger) timed() []Comparison {
	switch {
	case t.Kind == KindSegment:
		return t.When.All
	case t.Kind == KindThreshold && t.Value != nil:
		return []Comparison{*t.Value}
	}
	return nil
}

// windowed says whether the value of a trigger can change by time alone.
func (t Trigger) windowed() bool {
	return slices.ContainsFunc(t.timed(), func(q Comparison) bool { return q.Window != 0 || q.Past })
}

// kept names what is stored for a counter: the windows of an event share what is in the
// longest.
func (c counter) kept() string { return c.event + "\x00" + c.where + "\x00" + c.of }

// askedAgain notes a counter that begins anew although there is something to count.
func (a *Auditor) askedAgain(c counter) {
	if a.everAsked[c.kept()] && slices.ContainsFunc(a.customers, func(o *customer) bool {
		return slices.ContainsFunc(o.events, func(e *Event) bool { return e.Name == c.event })
	}) {
		a.note(NoteAskedAgain)
	}
	a.everAsked[c.kept()] = true
}
