package audit

// grouping asks a watch of a group, in its turn, what comes before the group; it says
// whether all of that holds. Which of the group enters is settled when the customer's
// other timers have fired.
func (a *Auditor) grouping(t timer) bool {
	c, i := t.customer, t.campaign
	s := &c.per[i]
	if a.campaigns[i].Policy.Group == "" || s.asked {
		s.asked = false
		return false
	}
	by, ok := a.datePlanned(c, i)
	if !t.date {
		ok = a.campaigns[i].Trigger.Kind == KindInactivity
		by = candidate{campaign: i, trigger: s.latest, planned: s.due, silence: s.due, late: a.now-s.due > lateAfter}
	}
	s.asked = ok && a.onlyGroup(c, &by)
	return s.asked
}

// onlyGroup says whether all holds that is asked before the group, if there is one. What
// refreshes a chain enters none.
func (a *Auditor) onlyGroup(c *customer, t *candidate) bool {
	def := a.campaigns[t.campaign]
	if def.Policy.Group == "" {
		return false
	}
	live, reason := a.may(c, t)
	return reason == "" && (len(live) == 0 || def.Reentry.OnActive != ActiveRefresh)
}

// withGroup adds the watches of the same group that are due at the same instant, of
// which only one may enter; they are asked by themselves too, and then lose.
func (a *Auditor) withGroup(c *customer, first candidate) []candidate {
	first.rivals = nil
	group := a.campaigns[first.campaign].Policy.Group
	if group == "" {
		return []candidate{first}
	}
	for i, s := range c.per {
		t := a.campaigns[i]
		rival := t.Policy.Group == group && t.Trigger.Kind == KindInactivity
		if rival && s.armed && s.due <= a.now && i != first.campaign {
			first.rivals = append(first.rivals, candidate{
				campaign: i, trigger: s.latest, planned: s.due, silence: s.due, late: a.now-s.due > lateAfter,
			})
		}
		if by, ok := a.datePlanned(c, i); ok && t.Policy.Group == group && i != first.campaign {
			first.rivals = append(first.rivals, by)
		}
		if t.Policy.Group == group && i != first.campaign {
			first.rivals = append(first.rivals, s.waiting...)
		}
	}
	return []candidate{first}
}
