package machine

import (
	"cmp"
	"fmt"
	"sort"

	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
	"github.com/nudge-engine/nudge/campaign/unit"
)

// Schedules are the schedule triggers in force, by campaign.
func (m *Machine) Schedules() []active.Schedule {
	var all []active.Schedule
	for _, p := range m.set.Schedules {
		if t, ok := p.Trigger.(*program.ScheduleTrigger); ok {
			loc := m.dateZone(p, &program.DateTrigger{Zone: cmp.Or(t.Zone, program.ZoneDefault)})
			of := active.Schedule{Campaign: p.Name, Spec: t.Text + " " + loc.String(), Cron: t.Cron, Loc: loc}
			if t.Calendar != "" {
				of = m.set.ScheduleByCalendar(t, of)
			}
			all = append(all, of)
		}
	}
	return all
}

// Visit applies a visit to a customer at log time now.
func (m *Machine) Visit(c *customer.Customer, v *active.BulkTask, now int64, out *output.Output) {
	if c.Merged != nil {
		return // what happens to all happens to the known customer
	}
	m.begin(c, now, out)
	if m.trace != nil {
		m.visited(v)
	}
	m.planned, m.late = v.Due, now-v.Due > lateAfter
	if v.Kind == active.BulkBroadcast || v.Kind == active.BulkSchedule {
		m.follow() // a chain that a new version ends is in the way of nothing
	}
	switch v.Kind {
	case active.BulkBroadcast:
		m.eventID, m.came = v.Event.ID, v.Due
		m.scope.Event.Set(v.Event)
		for _, p := range m.broadcasting(v.Event.Name) {
			m.broadcast(p, v.Event)
		}
	case active.BulkSchedule:
		for _, name := range v.Campaigns {
			m.scheduled(name, v.Due)
		}
	case active.BulkActivation:
		m.asOf = v.Due // also when a customer's turn comes later
		for _, name := range v.Campaigns {
			existing := sort.SearchStrings(v.Existing, name)
			m.activated(name, existing < len(v.Existing) && v.Existing[existing] == name)
		}
	case active.BulkForget:
		forgetCounters(c, v)
		return
	}
	m.rest()
	m.followProfile(v.Event)
	m.applyEmitted(out)
	m.prune()
}

func (m *Machine) broadcast(p *program.Program, e *event.Event) {
	t, ok := p.Trigger.(*program.BroadcastTrigger)
	if !ok {
		return
	}
	if m.isTargeted(p, e, t.Audience) {
		m.tryEnter(p, e)
	}
}

// isTargeted says whether a visit may start a chain for the customer. Customers outside of
// the audience are not refused one by one: they were never meant.
func (m *Machine) isTargeted(p *program.Program, trigger *event.Event, audience *expr.Expr) bool {
	m.scope.Chain.Chain = nil
	m.scope.Trigger.Set(trigger)
	targeted := audience == nil || m.inAudience(p, audience, trigger)
	if m.trace != nil {
		a := trace.Row(p, nil, trace.RuleTrigger, trace.AnswerOf(targeted))
		m.trace.Note(m.audienceFacts(a, audience, trigger))
	}
	return targeted
}

// scheduled enters a chain for an occurrence of a schedule.
func (m *Machine) scheduled(name string, due int64) {
	p := m.set.ByName[name]
	if p == nil {
		return
	}
	if _, ok := p.Trigger.(*program.ScheduleTrigger); !ok {
		return
	}
	trigger := &event.Event{
		Type:       event.Track,
		Name:       "$schedule",
		Time:       due,
		Properties: fmt.Appendf(nil, `{"at":"%s"}`, unit.FormatTime(due)),
	}
	if m.isTargeted(p, trigger, p.Audience) {
		m.enterByTime(p, trigger)
	}
}

// activated brings a customer who is already there in line with a campaign that became
// active or changed.
func (m *Machine) activated(name string, existing bool) {
	p := m.set.ByName[name]
	if p == nil {
		return
	}
	m.scope.Chain.Chain = nil
	m.scope.Trigger.Set(nil)
	switch t := p.Trigger.(type) {
	case *program.DateTrigger:
		m.planDates(p, t, false, false)
	case *program.InactivityTrigger:
		m.armKnown(p, t, existing)
	case *program.SegmentTrigger, *program.ThresholdTrigger:
		m.observe(p)
		if s := m.sight(p); existing && s.holds() {
			m.enterExisting(p, nil)
		}
	case *program.EventTrigger,
		*program.WebhookTrigger,
		*program.CountTrigger,
		*program.StreakTrigger,
		*program.ChangeTrigger,
		*program.BroadcastTrigger,
		*program.ScheduleTrigger: // they ask for nobody who is there
	}
}

// enterExisting enters a chain for a customer for whom it is so already.
func (m *Machine) enterExisting(p *program.Program, trigger *event.Event) {
	m.follow()
	m.enterByTime(p, trigger)
}

// armKnown arms an inactivity trigger from the counter of its event, for an instant that
// is still ahead; with existing the customer is asked in for one that is over. The trigger
// is the event, as far as it is remembered.
func (m *Machine) armKnown(p *program.Program, t *program.InactivityTrigger, existing bool) {
	c := m.c.Counter(customer.CounterID(t.Event, expr.SourceOf(t.Where)))
	if _, armed := m.c.Watch(p.Name); armed || c == nil || c.Count == 0 {
		return
	}
	due := c.Last + t.For
	if due > m.asOf {
		trigger := m.isRecorded(t, p.Name, c.Last)
		m.c.SetWatch(customer.InactivityTimer{Campaign: p.Name, Due: due, Trigger: trigger.AppendBody(nil)})
		return
	}
	e := m.c.Entry(p.Name, "", false)
	if spent := e != nil && e.LastIn >= due; existing && !spent { // once a spell
		m.enterExisting(p, m.isRecorded(t, p.Name, c.Last))
	}
}

// isRecorded is the remembered matching event of a time; when there is none, an event of
// which no more is known.
func (m *Machine) isRecorded(t *program.InactivityTrigger, campaign string, at int64) *event.Event {
	found := &event.Event{Type: event.Track, Name: t.Event, Time: at}
	r := m.c.Ring(t.Event)
	if r == nil {
		return found
	}
	for i := range r.Events {
		e := event.DecodeBody(r.Events[i].Event)
		if e == nil || e.Time != at {
			continue
		}
		m.scope.Event.Set(e)
		if t.Where == nil || m.holds(t.Where, campaign) {
			found = e
		}
	}
	m.scope.Event.Set(nil)
	return found
}
