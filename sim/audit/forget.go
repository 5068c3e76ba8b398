package audit

import "slices"

// drop has all customers forget what was asked for and is no more: a visit of them all,
// which others have to wait for.
func (a *Auditor) drop(asked []counter) {
	for _, c := range asked {
		if c.of != ofStreak && !slices.ContainsFunc(a.asked, func(o counter) bool { return o.kept() == c.kept() }) {
			a.note(NoteDropped)
			a.tours = append(a.tours, &tour{forgets: true, due: a.now, left: slices.Clone(a.customers)})
			return
		}
	}
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
