package machine

import (
	"slices"
	"sort"

	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/unit"
)

// sumsOf are the amounts of an event that are summed under the given properties. What is
// there and is no amount is noted once a customer, counter and property.
func (m *Machine) sumsOf(counter string, properties []string) []customer.Sum {
	var sums []customer.Sum
	for _, property := range properties {
		v := m.scope.Event.Props.At(property)
		if v == nil || v.Type() == fastjson.TypeNull {
			continue
		}
		if amount, ok := unit.AmountOf(v); ok {
			sums = append(sums, customer.Sum{Property: property, Total: amount})
			continue
		}
		m.noteOnce(output.ReasonNumber, "", counter+"."+property)
	}
	return sums
}

// count updates the counters that the set keeps for the event's name.
func (m *Machine) count(e *event.Event) {
	for _, spec := range m.counting(e.Name) {
		if spec.Where != nil && !m.holds(spec.Where, "") {
			continue
		}
		c := m.c.EnsureCounter(spec.ID)
		if c.Count == 0 || e.Time < c.First {
			c.First = e.Time
		}
		if c.Count == 0 || e.Time >= c.Last {
			c.Last = e.Time
		}
		c.Count++
		for _, s := range m.sumsOf(e.Name, spec.Sums) {
			c.Add(s.Property, s.Total)
		}
	}
}

// countWindows updates the counter with a window of the event's name, if the set keeps
// one.
func (m *Machine) countWindows(e *event.Event) {
	spec := m.set.Windows[e.Name]
	if spec == nil {
		return
	}
	m.c.EnsureWindow(e.Name).Add(e.Time, m.sumsOf(e.Name, spec.Sums), m.now-spec.Longest)
}

// Fill adds history of a counter to a customer at log time now. What the set no longer
// keeps is left out.
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

// forgetSum drops a sum of what is counted on.
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

// forgetCounters drops counters and states of triggers that nothing asks for any more.
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

// uncounted are the counters that began after the customer was known.
func (m *Machine) uncounted() []string {
	ids := append([]string(nil), m.c.Uncounted...)
	for _, specs := range m.set.Counters { //nudge:unordered sorted below
		for _, spec := range specs {
			if m.c.CreatedPlace < spec.Since {
				ids = append(ids, spec.ID)
			}
		}
	}
	return sortedSet(ids)
}

// historyUnknown says whether a counter missed what the customer did before it began.
func (m *Machine) historyUnknown(spec *active.CounterSpec) bool {
	i := sort.SearchStrings(m.c.Uncounted, spec.ID)
	return m.c.CreatedPlace < spec.Since || i < len(m.c.Uncounted) && m.c.Uncounted[i] == spec.ID
}

// sortedSet sorts texts and drops repetitions.
func sortedSet(all []string) []string {
	sort.Strings(all)
	kept := all[:0]
	for i, s := range all {
		if i == 0 || s != all[i-1] {
			kept = append(kept, s)
		}
	}
	return kept
}

func (m *Machine) streak(p *program.Program, t *program.StreakTrigger, e *event.Event) {
	breaks := t.BreakOn != nil && t.BreakOn.Event == e.Name &&
		(t.BreakOn.Where == nil || m.holds(t.BreakOn.Where, p.Name))
	counts := !breaks && t.Event == e.Name && (t.Where == nil || m.holds(t.Where, p.Name))
	if !breaks && !counts {
		return
	}
	s := m.ensureStreak(p, t)
	if s != nil && s.Mark(customer.Mark{Time: e.Time, Break: breaks}, t.Length, t.MaxGap) {
		m.tryEnter(p, e)
	}
}

// ensureStreak is the customer's streak of a campaign, new when there is none or the
// trigger has become another; nil beyond the limit.
func (m *Machine) ensureStreak(p *program.Program, t *program.StreakTrigger) *customer.Streak {
	c := m.c
	at := func() int {
		return sort.Search(len(c.Streaks), func(i int) bool { return c.Streaks[i].Campaign >= p.Name })
	}
	i := at()
	if i == len(c.Streaks) || c.Streaks[i].Campaign != p.Name {
		c.Streaks = active.InForce(m.set, c.Streaks, func(s *customer.Streak) string { return s.Campaign })
		if len(c.Streaks) >= maxStates {
			m.refuse(p, output.ReasonStates)
			return nil
		}
		i = at()
		c.Streaks = append(c.Streaks, customer.Streak{})
		copy(c.Streaks[i+1:], c.Streaks[i:])
		c.Streaks[i] = customer.Streak{Campaign: p.Name, Spec: t.Spec}
	}
	if c.Streaks[i].Spec != t.Spec {
		c.Streaks[i] = customer.Streak{Campaign: p.Name, Spec: t.Spec}
	}
	return &c.Streaks[i]
}
