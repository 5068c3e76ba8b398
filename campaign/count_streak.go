package campaign

import "sort"

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
