package campaign

import (
	"slices"
	"sort"

	"github.com/valyala/fastjson"
)

// sumsOf are the amounts of an event that are summed under the given properties. What is
// there and is no amount is noted once a customer, counter and property.
func (m *Machine) sumsOf(counter string, properties []string) []Sum {
	var sums []Sum
	for _, property := range properties {
		v := m.scope.event.props.at(property)
		if v == nil || v.Type() == fastjson.TypeNull {
			continue
		}
		if amount, ok := AmountOf(v); ok {
			sums = append(sums, Sum{Property: property, Total: amount})
			continue
		}
		m.noteOnce(ReasonNumber, "", counter+"."+property)
	}
	return sums
}

// count updates the counters that the set keeps for the event's name.
func (m *Machine) count(e *Event) {
	for _, spec := range m.counting(e.Name) {
		if spec.where != nil && !m.holds(spec.where, "") {
			continue
		}
		c := m.c.ensureCounter(spec.id)
		if c.Count == 0 || e.Time < c.First {
			c.First = e.Time
		}
		if c.Count == 0 || e.Time >= c.Last {
			c.Last = e.Time
		}
		c.Count++
		for _, s := range m.sumsOf(e.Name, spec.sums) {
			c.add(s.Property, s.Total)
		}
	}
}

// countWindows updates the counter with a window of the event's name, if the set keeps
// one.
func (m *Machine) countWindows(e *Event) {
	spec := m.set.windows[e.Name]
	if spec == nil {
		return
	}
	m.c.ensureWindow(e.Name).add(e.Time, m.sumsOf(e.Name, spec.sums), m.now-spec.longest)
}

// Fill adds history of a counter to a customer at log time now. What the set no longer
// keeps is left out.
func (m *Machine) Fill(c *Customer, a *Ask, f *Fill, now int64) {
	if a.Window > 0 {
		if spec := m.set.windows[a.Event]; spec != nil {
			c.ensureWindow(a.Event).merge(f.Width, f.Items, now-spec.longest)
		}
		return
	}
	for _, spec := range m.set.counters[a.Event] {
		if spec.id == a.ID() {
			c.ensureCounter(spec.id).merge(&f.Counter)
		}
	}
}

// forgetSum drops a sum of what is counted on.
func forgetSum(c *Customer, d DroppedSum) {
	without := func(sums []Sum) []Sum {
		return slices.DeleteFunc(sums, func(s Sum) bool { return s.Property == d.Property })
	}
	if d.Window == "" {
		if counter := c.counter(d.Counter); counter != nil {
			counter.Sums = without(counter.Sums)
		}
		return
	}
	if w := c.window(d.Window); w != nil {
		for i := range w.Items {
			w.Items[i].Sums = without(w.Items[i].Sums)
		}
	}
}

// forgetCounters drops counters and states of triggers that nothing asks for any more.
func forgetCounters(c *Customer, v *Visit) {
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
	c.Streaks = slices.DeleteFunc(c.Streaks, func(s Streak) bool { return listed(v.Counters, stateID(s.Campaign)) })
	c.Levels = slices.DeleteFunc(c.Levels, func(l Level) bool { return listed(v.Counters, stateID(l.Campaign)) })
	for _, d := range v.Sums {
		forgetSum(c, d)
	}
}

// uncounted are the counters that began after the customer was known.
func (m *Machine) uncounted() []string {
	ids := append([]string(nil), m.c.Uncounted...)
	for _, specs := range m.set.counters { //nudge:unordered sorted below
		for _, spec := range specs {
			if m.c.CreatedPlace < spec.since {
				ids = append(ids, spec.id)
			}
		}
	}
	return sortedSet(ids)
}

// historyUnknown says whether a counter missed what the customer did before it began.
func (m *Machine) historyUnknown(spec *counterSpec) bool {
	i := sort.SearchStrings(m.c.Uncounted, spec.id)
	return m.c.CreatedPlace < spec.since || i < len(m.c.Uncounted) && m.c.Uncounted[i] == spec.id
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

func (m *Machine) streak(p *Program, t *StreakTrigger, e *Event) {
	breaks := t.BreakOn != nil && t.BreakOn.Event == e.Name &&
		(t.BreakOn.Where == nil || m.holds(t.BreakOn.Where, p.Name))
	counts := !breaks && t.Event == e.Name && (t.Where == nil || m.holds(t.Where, p.Name))
	if !breaks && !counts {
		return
	}
	s := m.ensureStreak(p, t)
	if s != nil && s.mark(Mark{Time: e.Time, Break: breaks}, t.Length, t.MaxGap) {
		m.offer(p, e)
	}
}

// ensureStreak is the customer's streak of a campaign, new when there is none or the
// trigger has become another; nil beyond the limit.
func (m *Machine) ensureStreak(p *Program, t *StreakTrigger) *Streak {
	c := m.c
	at := func() int {
		return sort.Search(len(c.Streaks), func(i int) bool { return c.Streaks[i].Campaign >= p.Name })
	}
	i := at()
	if i == len(c.Streaks) || c.Streaks[i].Campaign != p.Name {
		c.Streaks = inForce(m.set, c.Streaks, func(s *Streak) string { return s.Campaign })
		if len(c.Streaks) >= maxStates {
			m.refuse(p, "", ReasonStates)
			return nil
		}
		i = at()
		c.Streaks = append(c.Streaks, Streak{})
		copy(c.Streaks[i+1:], c.Streaks[i:])
		c.Streaks[i] = Streak{Campaign: p.Name, Spec: t.spec}
	}
	if c.Streaks[i].Spec != t.spec {
		c.Streaks[i] = Streak{Campaign: p.Name, Spec: t.spec}
	}
	return &c.Streaks[i]
}
