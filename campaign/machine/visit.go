package machine

import (
	"cmp"
	"slices"
	"sort"

	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
)

// forgetCounters drops the counters, windows, streaks and sides of values that no campaign asks for any
// more, as the task v lists them.
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

// forgetSum drops the sum of one property of a counter or window that is itself kept.
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
			existing := sort.SearchStrings(v.Existing, name)
			m.triggers.activated(name, existing < len(v.Existing) && v.Existing[existing] == name)
		}
	case active.BulkForget:
		forgetCounters(c, v)
		return
	}
	m.rest()
	m.followProfile(v.Event)
	m.applyEmitted(out)
	m.chains.prune()
}

// Fill adds imported history f of the counter a to a customer at log time now. What the set no longer
// keeps is left out, and no trigger fires for it.
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
