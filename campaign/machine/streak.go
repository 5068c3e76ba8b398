package machine

import (
	"sort"

	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
)

// streak marks an event in the customer's streak of a campaign, and fires if that completes it. An event
// that both breaks and counts breaks the streak.
func (ts *triggers) streak(p *program.Program, t *program.StreakTrigger, e *event.Event) {
	breaks := t.BreakOn != nil && t.BreakOn.Event == e.Name &&
		(t.BreakOn.Where == nil || ts.holds(t.BreakOn.Where, p.Name))
	counts := !breaks && t.Event == e.Name && (t.Where == nil || ts.holds(t.Where, p.Name))
	if !breaks && !counts {
		return
	}
	s := ts.ensureStreak(p, t)
	if s != nil && s.Mark(customer.Mark{Time: e.Time, Break: breaks}, t.Length, t.MaxGap) {
		ts.entries.tryEnter(p, e)
	}
}

// ensureStreak returns the customer's streak of a campaign, an empty one when there is none or the
// trigger has changed (another Spec); nil, with a decision, when the customer has no room for another.
// It is valid until the list of streaks changes.
func (ts *triggers) ensureStreak(p *program.Program, t *program.StreakTrigger) *customer.Streak {
	c := ts.c
	at := func() int {
		return sort.Search(len(c.Streaks), func(i int) bool { return c.Streaks[i].Campaign >= p.Name })
	}
	i := at()
	if i == len(c.Streaks) || c.Streaks[i].Campaign != p.Name {
		c.Streaks = active.InForce(ts.set, c.Streaks, func(s *customer.Streak) string { return s.Campaign })
		if len(c.Streaks) >= maxStates {
			ts.out.refuse(p, output.ReasonStates)
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
