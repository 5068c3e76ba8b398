package machine

import (
	"slices"
	"sort"
	"time"

	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
)

// planDates brings what is planned for a date trigger in line with the customer; with
// report a profile that has no date where one should be is recorded. kept says that the date
// was known before.
func (m *Machine) planDates(p *program.Program, t *program.DateTrigger, report, kept bool) {
	v, missing, err := t.Path.Eval(m.scope)
	d, ok := program.DateValue{}, false
	if err == nil && !missing {
		if d, ok = t.Parse(v); !ok && report && m.profileChanged() {
			m.decide(
				output.Decision{Campaign: p.Name, Version: p.Version, Kind: output.Erred, Reason: output.ReasonDate},
			)
		}
	}
	loc := m.dateZone(p, t)
	for _, o := range t.Offsets {
		m.planDate(p, t, o, d, ok, kept, loc)
	}
	if m.trace != nil {
		m.tracePlanned(p, t)
	}
}

// keptDate says whether a record, nil for a timer, left the date as it was: another time zone
// moves it and does not make it known anew.
func (m *Machine) keptDate(t *program.DateTrigger, e *event.Event) bool {
	if e != nil && e.Type != event.Identify || t.Repeat == program.NoRepeat {
		return false
	}
	now, isNow := m.dateIn(t, m.c.Traits)
	before, was := m.dateIn(t, m.lastTraits())
	m.scope.Customer.Set(m.c)
	return isNow && was && now == before
}

// dateIn is the date of a trigger in a profile. The caller gives the scope its customer back.
func (m *Machine) dateIn(t *program.DateTrigger, traits []byte) (d program.DateValue, ok bool) {
	own := m.c.Traits
	m.c.Traits = traits
	m.scope.Customer.Set(m.c)
	v, missing, err := t.Path.Eval(m.scope)
	m.c.Traits = own
	if err != nil || missing {
		return program.DateValue{}, false
	}
	return t.Parse(v)
}

func (m *Machine) planDate(
	p *program.Program,
	t *program.DateTrigger,
	o program.Offset,
	d program.DateValue,
	known, kept bool,
	loc *time.Location,
) {
	c := m.c
	i := sort.Search(len(c.Dates), func(i int) bool { return !c.Dates[i].Before(p.Name, o.Ms()) })
	found := i < len(c.Dates) && c.Dates[i].Campaign == p.Name && c.Dates[i].Offset == o.Ms()
	old := customer.DateWatch{Campaign: p.Name, Offset: o.Ms(), Spec: t.Spec}
	if found && c.Dates[i].Spec == t.Spec {
		old = c.Dates[i]
	}
	due, n := int64(0), int64(0)
	if known {
		due, n = t.Plan(d, loc, o, m.asOf, &old, kept)
	}
	old.Due, old.Number = due, n
	switch {
	case found:
		c.Dates[i] = old
	case due == 0:
	case len(c.Dates) >= customer.MaxDates:
		c.Dates = active.InForce(m.set, c.Dates, func(w *customer.DateWatch) string { return w.Campaign })
		if len(c.Dates) >= customer.MaxDates {
			m.refuse(p, output.ReasonStates)
			return
		}
		m.planDate(p, t, o, d, known, kept, loc)
	default:
		c.Dates = slices.Insert(c.Dates, i, old)
	}
}

// fireDate enters a chain for an occurrence of a date, and plans the next.
func (m *Machine) fireDate(at int) {
	w := &m.c.Dates[at]
	p := m.set.ByName[w.Campaign]
	var t *program.DateTrigger
	if p != nil {
		t, _ = p.Trigger.(*program.DateTrigger)
	}
	i := -1
	if t != nil && t.Spec == w.Spec {
		i = slices.IndexFunc(t.Offsets, func(o program.Offset) bool { return o.Ms() == w.Offset })
	}
	if i < 0 { // the campaign is gone, or has no such offset
		m.c.Dates = slices.Delete(m.c.Dates, at, at+1)
		return
	}
	o, fired := t.Offsets[i], *w
	w.Fired = append(slices.Clone(w.Fired), w.Number)
	w.Fired = w.Fired[max(0, len(w.Fired)-customer.MaxFired):]
	w.Due, w.Number = 0, 0
	v, missing, err := t.Path.Eval(m.scope)
	if err != nil || missing {
		return
	}
	d, ok := t.Parse(v)
	if !ok {
		return
	}
	loc := m.dateZone(p, t)
	m.planDate(p, t, o, d, true, true, loc)
	trigger := t.DateEvent(d, loc, o, &fired)
	m.scope.Chain.Chain = nil
	m.scope.Trigger.Set(trigger)
	q := m.entry(p, trigger)
	q.dated = true
	m.enterIfAllowed(q)
}
