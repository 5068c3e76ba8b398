package campaign

import (
	"cmp"
	"fmt"
	"sort"
)

// Schedules are the schedule triggers in force, by campaign.
func (m *Machine) Schedules() []Schedule {
	var all []Schedule
	for _, p := range m.set.schedules {
		if t, ok := p.Trigger.(*ScheduleTrigger); ok {
			loc := m.dateZone(p, &DateTrigger{Zone: cmp.Or(t.Zone, zoneDefault)})
			of := Schedule{Campaign: p.Name, Spec: t.Text + " " + loc.String(), cron: t.Cron, loc: loc}
			if t.Calendar != "" {
				of = m.set.scheduleByCalendar(t, of)
			}
			all = append(all, of)
		}
	}
	return all
}

// Visit applies a visit to a customer at log time now.
func (m *Machine) Visit(c *Customer, v *Visit, now int64, out *Output) {
	if c.Merged != nil {
		return // what happens to all happens to the known customer
	}
	m.begin(c, now, out)
	if m.trace != nil {
		m.visited(v)
	}
	m.planned, m.late = v.Due, now-v.Due > lateAfter
	if v.Kind == VisitBroadcast || v.Kind == VisitSchedule {
		m.follow() // a chain that a new version ends is in the way of nothing
	}
	switch v.Kind {
	case VisitBroadcast:
		m.eventID = v.Event.ID
		m.scope.event.set(v.Event)
		for _, p := range m.broadcasting(v.Event.Name) {
			m.broadcast(p, v.Event)
		}
	case VisitSchedule:
		for _, name := range v.Campaigns {
			m.scheduled(name, v.Due)
		}
	case VisitActivation:
		m.asOf = v.Due // also when a customer's turn comes later
		for _, name := range v.Campaigns {
			existing := sort.SearchStrings(v.Existing, name)
			m.activated(name, existing < len(v.Existing) && v.Existing[existing] == name)
		}
	case VisitForget:
		forgetCounters(c, v)
		return
	}
	m.rest()
	m.followProfile(v.Event)
	m.derive()
	m.prune()
}

func (m *Machine) broadcast(p *Program, e *Event) {
	t, ok := p.Trigger.(*BroadcastTrigger)
	if !ok {
		return
	}
	if m.meant(p, e, t.Audience) {
		m.offer(p, e)
	}
}

// meant says whether a visit may start a chain for the customer. Customers outside of
// the audience are not refused one by one: they were never meant.
func (m *Machine) meant(p *Program, trigger *Event, audience *Expr) bool {
	m.scope.chain.c = nil
	m.scope.trigger.set(trigger)
	if m.trace != nil {
		m.traceVisit(p, audience)
	}
	if audience != nil && !m.inAudience(p, audience, trigger) {
		return false
	}
	if m.late && p.Late == LateExit {
		m.refuse(p, "", ReasonLate)
		return false
	}
	return true
}

// scheduled enters a chain for an occurrence of a schedule.
func (m *Machine) scheduled(name string, due int64) {
	p := m.set.byName[name]
	if p == nil {
		return
	}
	if _, ok := p.Trigger.(*ScheduleTrigger); !ok {
		return
	}
	trigger := &Event{
		Type: Track, Name: "$schedule", Time: due, Properties: fmt.Appendf(nil, `{"at":"%s"}`, FormatTime(due)),
	}
	if m.meant(p, trigger, p.Audience) {
		m.enterIfAllowed(p, trigger)
	}
}

// activated brings a customer who is already there in line with a campaign that became
// active or changed.
func (m *Machine) activated(name string, existing bool) {
	p := m.set.byName[name]
	if p == nil {
		return
	}
	m.scope.chain.c = nil
	m.scope.trigger.set(nil)
	switch t := p.Trigger.(type) {
	case *DateTrigger:
		m.planDates(p, t, false)
	case *InactivityTrigger:
		m.armKnown(p, t, existing)
	case *SegmentTrigger, *ThresholdTrigger:
		m.observe(p)
		if s := m.sight(p); existing && s.holds() {
			m.askIn(p, nil)
		}
	default: // the others look at records only
	}
}

// askIn enters a chain for a customer for whom it is so already.
func (m *Machine) askIn(p *Program, trigger *Event) {
	m.follow()
	m.enterUnlessLate(p, trigger)
}

// armKnown arms an inactivity trigger from the counter of its event, for an instant that
// is still ahead; with existing the customer is asked in for one that is over. The trigger
// is the event, as far as it is remembered.
func (m *Machine) armKnown(p *Program, t *InactivityTrigger, existing bool) {
	c := m.c.counter(counterID(t.Event, sourceOf(t.Where)))
	if _, armed := m.c.watch(p.Name); armed || c == nil || c.Count == 0 {
		return
	}
	due := c.Last + t.For
	if due > m.asOf {
		trigger := m.ringed(t, p.Name, c.Last)
		m.c.setWatch(Watch{Campaign: p.Name, Due: due, Trigger: trigger.appendBody(nil)})
		return
	}
	e := m.c.entry(p.Name, "", false)
	if spent := e != nil && e.LastIn >= due; existing && !spent { // once a spell
		m.askIn(p, m.ringed(t, p.Name, c.Last))
	}
}

// ringed is the remembered matching event of a time; when there is none, an event of
// which no more is known.
func (m *Machine) ringed(t *InactivityTrigger, campaign string, at int64) *Event {
	found := &Event{Type: Track, Name: t.Event, Time: at}
	r := m.c.ring(t.Event)
	if r == nil {
		return found
	}
	for i := range r.Events {
		e := decodeBody(r.Events[i].Event)
		if e == nil || e.Time != at {
			continue
		}
		m.scope.event.set(e)
		if t.Where == nil || m.holds(t.Where, campaign) {
			found = e
		}
	}
	m.scope.event.set(nil)
	return found
}
