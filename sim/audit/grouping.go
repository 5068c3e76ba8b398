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
	if ok {
		live, reason := a.may(c, &by)
		refreshes := len(live) > 0 && a.campaigns[i].Reentry.OnActive == ActiveRefresh // and enters no group
		ok = reason == "" && !refreshes
	}
	s.asked = ok
	return ok
}
