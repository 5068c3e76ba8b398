package campaign

import (
	"slices"
	"sort"
	"time"
)

// planDates brings what is planned for a date trigger in line with the customer; with
// report a profile that has no date where one should be is recorded.
func (m *Machine) planDates(p *Program, t *DateTrigger, report bool) {
	v, missing, err := t.Path.eval(m.scope)
	d, ok := calendarDate{}, false
	if err == nil && !missing {
		if d, ok = t.parse(v); !ok && report && m.profileChanged() {
			m.decide(Decision{Campaign: p.Name, Version: p.Version, Kind: Erred, Reason: ReasonDate})
		}
	}
	loc := m.dateZone(p, t)
	for _, o := range t.Offsets {
		m.planDate(p, t, o, d, ok, loc)
	}
	if m.trace != nil {
		m.tracePlanned(p, t)
	}
}

func (m *Machine) planDate(p *Program, t *DateTrigger, o Offset, d calendarDate, known bool, loc *time.Location) {
	c := m.c
	i := sort.Search(len(c.Dates), func(i int) bool { return !c.Dates[i].before(p.Name, o.ms()) })
	found := i < len(c.Dates) && c.Dates[i].Campaign == p.Name && c.Dates[i].Offset == o.ms()
	old := DateWatch{Campaign: p.Name, Offset: o.ms(), Spec: t.spec}
	if found && c.Dates[i].Spec == t.spec {
		old = c.Dates[i]
	}
	due, n := int64(0), int64(0)
	if known {
		due, n = t.plan(d, loc, o, m.asOf, &old)
	}
	old.Due, old.Number = due, n
	switch {
	case found:
		c.Dates[i] = old
	case due == 0:
	case len(c.Dates) >= maxDates:
		c.Dates = inForce(m.set, c.Dates, func(w *DateWatch) string { return w.Campaign })
		if len(c.Dates) >= maxDates {
			m.refuse(p, "", ReasonStates)
			return
		}
		m.planDate(p, t, o, d, known, loc)
	default:
		c.Dates = slices.Insert(c.Dates, i, old)
	}
}

// fireDate enters a chain for an occurrence of a date, and plans the next.
func (m *Machine) fireDate(at int) {
	w := &m.c.Dates[at]
	p := m.set.byName[w.Campaign]
	var t *DateTrigger
	if p != nil {
		t, _ = p.Trigger.(*DateTrigger)
	}
	i := -1
	if t != nil && t.spec == w.Spec {
		i = slices.IndexFunc(t.Offsets, func(o Offset) bool { return o.ms() == w.Offset })
	}
	if i < 0 { // the campaign is gone, or has no such offset
		m.c.Dates = slices.Delete(m.c.Dates, at, at+1)
		return
	}
	o, fired := t.Offsets[i], *w
	w.Fired = append(slices.Clone(w.Fired), w.Number)
	w.Fired = w.Fired[max(0, len(w.Fired)-maxFired):]
	w.Due, w.Number = 0, 0
	v, missing, err := t.Path.eval(m.scope)
	if err != nil || missing {
		return
	}
	d, ok := t.parse(v)
	if !ok {
		return
	}
	loc := m.dateZone(p, t)
	m.planDate(p, t, o, d, true, loc)
	trigger := t.dateEvent(d, loc, o, &fired)
	m.scope.chain.c = nil
	m.scope.trigger.set(trigger)
	switch {
	case m.now-fired.Due > t.CatchUp:
		m.refuse(p, "", ReasonMissed)
	case m.late && p.Late == LateExit:
		m.refuse(p, "", ReasonLate)
	default:
		m.enterIfAllowed(p, trigger)
	}
}
