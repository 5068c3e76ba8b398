package audit

// A segment or threshold that asks about windows changes by time alone, when an occurrence
// leaves one; a segment that compares now, when that passes an instant. The value then is that
// of the instant, however late the timer is.

// slides is the next instant at which an occurrence leaves a window that the campaign's
// trigger asks about, after the one at which it was looked at last.
func (a *Auditor) slides(c *customer, i int) (due int64, ok bool) {
	def, s := a.campaigns[i], &c.per[i]
	if !def.looks() || !s.seen {
		return 0, false
	}
	for _, q := range def.Trigger.timed() {
		if at, passes := q.passes(c); passes && at > s.looked && (!ok || at < due) {
			due, ok = at, true
		}
		if q.Window == 0 || q.Last != "" {
			continue
		}
		for _, e := range c.inWindow(q) {
			if at := e.Time + q.Window.Milliseconds(); at > s.looked && (!ok || at < due) {
				due, ok = at, true
			}
		}
	}
	return due, ok
}

// slid looks at a segment at the instant at which its value may have changed.
func (a *Auditor) slid(c *customer, i int, due int64) {
	a.asOf = due
	hit := a.crossed(c, i)
	a.asOf = 0
	if !hit {
		return
	}
	a.note(NoteSlid)
	if a.campaigns[i].Trigger.Kind == KindThreshold {
		a.note(NoteSlidValue)
	}
	for _, q := range a.campaigns[i].Trigger.timed() {
		if at, passes := q.passes(c); passes && at == due {
			a.note(NotePassed)
		}
	}
	e := &Event{Customer: c.id, ID: AnyID, Time: due, Type: TypeIdentify}
	by := candidate{campaign: i, trigger: e, planned: due, late: a.now-due > lateAfter, bare: true}
	if a.onlyGroup(c, &by) {
		c.per[i].waiting = append(c.per[i].waiting, by)
		return
	}
	a.admit(c, []candidate{by})
	a.runMoved(c)
}

// settleSlide lets a segment's chain in, if its group does, when the customer's other timers
// have fired.
func (a *Auditor) settleSlide(c *customer, i int) {
	s := &c.per[i]
	by := s.waiting[0]
	s.waiting = s.waiting[1:]
	a.admit(c, a.withGroup(c, by))
	a.runMoved(c)
}

// instant is that as of which values are looked at.
func (a *Auditor) instant() int64 {
	if a.asOf != 0 {
		return a.asOf
	}
	return a.now
}

// NoteSlid is a segment that changed by time alone.
const NoteSlid = "segment changed when a window slid"
