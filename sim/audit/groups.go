package audit

// loses reports whether another candidate of the group goes first.
func (a *Auditor) loses(c *customer, t, other *candidate) bool {
	mine, theirs := a.campaigns[t.campaign], a.campaigns[other.campaign]
	if t.campaign == other.campaign || mine.Policy.Group == "" || mine.Policy.Group != theirs.Policy.Group {
		return false
	}
	if theirs.Policy.Priority < mine.Policy.Priority ||
		theirs.Policy.Priority == mine.Policy.Priority && theirs.Name > mine.Name {
		return false
	}
	live, reason := a.checkEntry(c, other)
	if reason != "" || len(live) > 0 && theirs.Reentry.OnActive == ActiveRefresh {
		return false
	}
	_, free := a.findGroupRoom(c, other, live)
	return free
}

// findGroupRoom reports whether the candidate's group has room, and the chain that has to end for
// it.
func (a *Auditor) findGroupRoom(c *customer, t *candidate, live []*chain) (loser *chain, free bool) {
	def := a.campaigns[t.campaign]
	if def.Policy.Group == "" {
		return nil, true
	}
	for _, ch := range c.chains {
		if !ch.live() || ch.def.Policy.Group != def.Policy.Group {
			continue
		}
		if n := len(live); n > 0 && ch == live[n-1] && def.Reentry.OnActive == ActiveRestart {
			continue // the new chain replaces it
		}
		if !def.Policy.Preempt || ch.def.Policy.Priority >= def.Policy.Priority {
			return nil, false
		}
		loser = ch
	}
	return loser, true
}

// checkBeforeGroup is the first half of a trigger's timer for a campaign with a group: it makes the
// checks that come before the group, and reports whether they pass. Which campaign of the group
// enters is decided by the second half, when the customer's other timers have fired.
func (a *Auditor) checkBeforeGroup(t timer) bool {
	c, i := t.customer, t.campaign
	s := &c.states[i]
	if a.campaigns[i].Policy.Group == "" || s.groupPending {
		s.groupPending = false
		return false
	}
	by, ok := a.dateCandidate(c, i)
	if !t.date {
		ok = a.campaigns[i].Trigger.Kind == KindInactivity
		by = a.inactivityCandidate(c, i)
	}
	s.groupPending = ok && a.passesAllButGroup(c, &by)
	return s.groupPending
}

// passesAllButGroup reports whether the candidate has a group and passes all checks before that of
// the group. A refresh does not enter, so it needs no group.
func (a *Auditor) passesAllButGroup(c *customer, t *candidate) bool {
	def := a.campaigns[t.campaign]
	if def.Policy.Group == "" {
		return false
	}
	live, reason := a.checkEntry(c, t)
	return reason == "" && (len(live) == 0 || def.Reentry.OnActive != ActiveRefresh)
}

// withRivals gives a candidate the others of its group that are due by time now: only one of them
// may enter. Each is also tried by itself, and loses then.
func (a *Auditor) withRivals(c *customer, first candidate) []candidate {
	first.rivals = nil
	group := a.campaigns[first.campaign].Policy.Group
	if group == "" {
		return []candidate{first}
	}
	for i, s := range c.states {
		t := a.campaigns[i]
		rival := t.Policy.Group == group && t.Trigger.Kind == KindInactivity
		if rival && s.armed && s.due <= a.now && i != first.campaign {
			first.rivals = append(first.rivals, a.inactivityCandidate(c, i))
		}
		if by, ok := a.dateCandidate(c, i); ok && t.Policy.Group == group && i != first.campaign {
			first.rivals = append(first.rivals, by)
		}
		if t.Policy.Group == group && i != first.campaign {
			first.rivals = append(first.rivals, s.windowEntries...)
		}
	}
	return []candidate{first}
}
