package machine

import (
	"cmp"
	"fmt"
	"slices"
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

// broadcast enters a chain for an event without a customer, where the audience of the campaign's
// trigger holds for this one.
func (ts *triggers) broadcast(p *program.Program, e *event.Event) {
	t, ok := p.Trigger.(*program.BroadcastTrigger)
	if !ok {
		return
	}
	if ts.isTargeted(p, e, t.Audience) {
		ts.entries.tryEnter(p, e)
	}
}

// isTargeted reports whether a task for all customers may start a chain for this one; audience nil
// is everybody. Customers outside of the audience are not refused one by one: a decision for each
// of them would be most of the output of a broadcast.
func (ts *triggers) isTargeted(p *program.Program, trigger *event.Event, audience *expr.Expr) bool {
	ts.scope.Chain.Chain = nil
	ts.scope.Trigger.Set(trigger)
	targeted := audience == nil || ts.entries.inAudience(p, audience, trigger)
	if ts.trace != nil {
		a := trace.Row(p, nil, trace.RuleTrigger, trace.AnswerOf(targeted))
		ts.trace.Note(ts.entries.audienceFacts(a, audience, trigger))
	}
	return targeted
}

// scheduled enters a chain for an occurrence of a schedule, due (ms). The trigger event that
// expressions see is made up: it is named $schedule and has the instant as its property at.
//
// The campaign may have changed since the occurrence was planned, hence the checks.
func (ts *triggers) scheduled(name string, due int64) {
	p := ts.set.ByName[name]
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
	if ts.isTargeted(p, trigger, p.Audience) {
		ts.entries.enterByTime(p, trigger)
	}
}

// activated prepares the state of a customer who is already there for a campaign that became
// active or changed: it arms timers and notes on which side of a value the customer is. existing says
// that customers for whom the condition holds already enter (the campaign's "existing: include").
func (ts *triggers) activated(name string, existing bool) {
	p := ts.set.ByName[name]
	if p == nil {
		return
	}
	ts.scope.Chain.Chain = nil
	ts.scope.Trigger.Set(nil)
	switch t := p.Trigger.(type) {
	case *program.DateTrigger:
		ts.planDates(p, t, false, false)
	case *program.InactivityTrigger:
		ts.armKnown(p, t, existing)
	case *program.SegmentTrigger, *program.ThresholdTrigger:
		ts.observe(p)
		if s := ts.sight(p); existing && s.holds() {
			ts.enterExisting(p, nil)
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

// enterExisting enters a chain for a customer for whom the condition of the trigger holds already.
// It re-plans first: a chain that the new version ends must not be in the way of the entry.
func (ts *triggers) enterExisting(p *program.Program, trigger *event.Event) {
	ts.chains.follow()
	ts.entries.enterByTime(p, trigger)
}

// armKnown arms an inactivity trigger for a customer whose last event was counted before the
// campaign was active. If the silence is over already, the customer enters at once with existing,
// at most once for one silence. The trigger event is the last event, as far as it is remembered.
// It does nothing for somebody who never did the event.
func (ts *triggers) armKnown(p *program.Program, t *program.InactivityTrigger, existing bool) {
	c := ts.c.Counter(customer.CounterID(t.Event, expr.SourceOf(t.Where)))
	if _, armed := ts.c.Watch(p.Name); armed || c == nil || c.Count == 0 {
		return
	}
	due := c.Last + t.For
	if due > ts.asOf {
		trigger := ts.isRecorded(t, p.Name, c.Last)
		ts.c.SetWatch(customer.InactivityTimer{Campaign: p.Name, Due: due, Trigger: trigger.AppendBody(nil)})
		return
	}
	e := ts.c.Entry(p.Name, "", false)
	// The campaign may have been active before, and taken this silence already.
	if spent := e != nil && e.LastIn >= due; existing && !spent { // once a spell
		ts.enterExisting(p, ts.isRecorded(t, p.Name, c.Last))
	}
}

// isRecorded returns the remembered event that matches a trigger and happened at a time (ms). When
// none is remembered it returns an event with only the name and the time.
func (ts *triggers) isRecorded(t *program.InactivityTrigger, campaign string, at int64) *event.Event {
	found := &event.Event{Type: event.Track, Name: t.Event, Time: at}
	r := ts.c.Ring(t.Event)
	if r == nil {
		return found
	}
	for i := range r.Events {
		e := event.DecodeBody(r.Events[i].Event)
		if e == nil || e.Time != at {
			continue
		}
		ts.scope.Event.Set(e)
		if t.Where == nil || ts.holds(t.Where, campaign) {
			found = e
		}
	}
	ts.scope.Event.Set(nil)
	return found
}

// forgetCounters drops the counters, windows, streaks and remembered sides of values that no
// campaign asks for any more, as the task v lists them. Streaks and sides are listed among the
// counters, under active.StateID.
func forgetCounters(c *customer.Customer, v *active.BulkTask) {
	counters := c.Counters[:0]
	for i := range c.Counters {
		if !listed(v.Counters, c.Counters[i].ID) {
			counters = append(counters, c.Counters[i])
		}
	}
	c.Counters = counters
	windows := c.Windows[:0]
	for i := range c.Windows {
		if !listed(v.Windows, c.Windows[i].Event) {
			windows = append(windows, c.Windows[i])
		}
	}
	c.Windows = windows
	c.Streaks = slices.DeleteFunc(
		c.Streaks,
		func(s customer.Streak) bool { return listed(v.Counters, active.StateID(s.Campaign)) },
	)
	c.Levels = slices.DeleteFunc(
		c.Levels,
		func(l customer.Latch) bool { return listed(v.Counters, active.StateID(l.Campaign)) },
	)
	for _, d := range v.Sums {
		forgetSum(c, d)
	}
}

// forgetSum drops the sum of one property of a counter or window that is itself kept: a campaign
// still counts the events, and none asks for the sum.
func forgetSum(c *customer.Customer, d active.DroppedCounter) {
	without := func(sums []customer.Sum) []customer.Sum {
		return slices.DeleteFunc(sums, func(s customer.Sum) bool { return s.Property == d.Property })
	}
	if d.Window == "" {
		if counter := c.Counter(d.Counter); counter != nil {
			counter.Sums = without(counter.Sums)
		}
		return
	}
	if w := c.Window(d.Window); w != nil {
		for i := range w.Items {
			w.Items[i].Sums = without(w.Items[i].Sums)
		}
	}
}

// Schedules returns the schedule triggers in force, by campaign, each with the zone of its clock: the
// trigger's, else the campaign's, else the workspace's, else UTC. A schedule fires at one instant for
// all customers, so their own zones do not matter.
func (m *Machine) Schedules() []active.Schedule {
	var all []active.Schedule
	for _, p := range m.set.Schedules {
		if t, ok := p.Trigger.(*program.ScheduleTrigger); ok {
			loc := m.zones.dateZone(p, &program.DateTrigger{Zone: cmp.Or(t.Zone, program.ZoneDefault)})
			of := active.Schedule{Campaign: p.Name, Spec: t.Text + " " + loc.String(), Cron: t.Cron, Loc: loc}
			if t.Calendar != "" {
				of = m.set.ScheduleByCalendar(t, of)
			}
			all = append(all, of)
		}
	}
	return all
}

// Visit applies a task for all customers, v, to one of them at log time now. v.Due is when the task was
// due; customers are visited one after another, so now can be later. A customer who was merged into
// another is left out: the task reaches the known one.
func (m *Machine) Visit(c *customer.Customer, v *active.BulkTask, now int64, out *output.Output) {
	if c.Merged != nil {
		return // what happens to all happens to the known customer
	}
	m.begin(c, now, out)
	if m.trace != nil {
		m.visited(v)
	}
	// A chain that starts here was due when the task was, not when the customer's turn came.
	m.planned, m.late = v.Due, now-v.Due > lateAfter
	if v.Kind == active.BulkBroadcast || v.Kind == active.BulkSchedule {
		m.chains.follow() // a chain that a new version ends is in the way of nothing
	}
	switch v.Kind {
	case active.BulkBroadcast:
		m.eventID, m.came = v.Event.ID, v.Due
		m.scope.Event.Set(v.Event)
		for _, p := range m.triggers.broadcasting(v.Event.Name) {
			m.triggers.broadcast(p, v.Event)
		}
	case active.BulkSchedule:
		for _, name := range v.Campaigns {
			m.triggers.scheduled(name, v.Due)
		}
	case active.BulkActivation:
		m.asOf = v.Due // also for a customer who is visited later
		for _, name := range v.Campaigns {
			// Existing is sorted. Campaigns that are not in it only begin to watch.
			existing := sort.SearchStrings(v.Existing, name)
			m.triggers.activated(name, existing < len(v.Existing) && v.Existing[existing] == name)
		}
	case active.BulkForget:
		forgetCounters(c, v)
		return
	}
	// As for an event: run what was started, follow what it changed, apply what it emitted.
	m.rest()
	m.followProfile(v.Event)
	m.applyEmitted(out)
	m.chains.prune()
}

// Fill adds imported history f of the counter a to a customer at log time now. What the set no
// longer keeps is left out, and no trigger fires for it. A window only takes what it can still
// contain at now.
func (m *Machine) Fill(c *customer.Customer, a *active.CounterRequest, f *active.BackfillCounts, now int64) {
	if a.Window > 0 {
		if spec := m.set.Windows[a.Event]; spec != nil {
			c.EnsureWindow(a.Event).Merge(f.Width, f.Items, now-spec.Longest)
		}
		return
	}
	for _, spec := range m.set.Counters[a.Event] {
		if spec.ID == a.ID() {
			c.EnsureCounter(spec.ID).Merge(&f.Counter)
		}
	}
}
