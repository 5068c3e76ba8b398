package campaign

// maxQueued bounds the entries that are kept for one customer.
const maxQueued = 100

// frozen says that the campaign of a chain stands still, by the version in force.
func (m *Machine) frozen(ch *Chain) bool {
	p := m.set.byName[ch.Campaign]
	return p != nil && p.frozen()
}

// freeze holds the timer of a chain whose campaign stands still, or lets it go: one that
// is overdue then fires at the customer's turn, late.
func (m *Machine) freeze(ch *Chain, earliest int64) {
	switch frozen := m.frozen(ch); {
	case frozen && ch.Due != 0:
		ch.Wake = Never
	case !frozen && ch.Wake == Never:
		if ch.Wake = 0; ch.Due < earliest {
			ch.Wake = earliest
		}
	}
}

// hold keeps a chain before the step that it has come to, while its campaign stands
// still; it says whether it does. One that has come to its end ends.
func (m *Machine) hold(ch *Chain) bool {
	if ch.Step == endStep || !m.frozen(ch) {
		return false
	}
	ch.still, ch.Due, ch.Wake = true, m.now, Never
	return true
}

// inactive refuses an entry into a campaign that is not active, or keeps it.
func (m *Machine) inactive(p *Program, trigger *Event) {
	switch {
	case p.Status != StatusPaused:
		m.refuse(p, "", ReasonInactive)
	case !p.Pause.Queue || trigger == nil || len(m.c.queue) >= maxQueued:
		m.refuse(p, "", ReasonPaused)
	default:
		m.c.queue = append(m.c.queue, queued{campaign: p.Name, trigger: trigger.appendBody(nil)})
		m.decide(Decision{Campaign: p.Name, Version: p.Version, Kind: Queued, Reason: ReasonPaused})
	}
}

// release offers the entries that were kept to the campaigns that are active again.
func (m *Machine) release() {
	var waiting, ready []queued
	for _, q := range m.c.queue {
		if p := m.set.byName[q.campaign]; p != nil && p.Status == StatusPaused {
			waiting = append(waiting, q)
		} else {
			ready = append(ready, q)
		}
	}
	if len(ready) == 0 {
		return
	}
	m.c.queue = waiting
	for _, q := range ready {
		p, e := m.set.byName[q.campaign], decodeBody(q.trigger)
		if p == nil || e == nil {
			continue
		}
		m.eventID = e.ID
		m.scope.chain.c = nil
		m.scope.event.set(e)
		m.scope.trigger.set(e)
		m.offerKept(p, e)
		m.rest()
		m.followProfile(nil) // it is the turn that starts the chain, not the event
	}
	m.derive()
	m.prune()
}

// offerKept offers an entry that was kept. One by a time without an event counts as old as
// the end of that time is: its event is older, and was not what should have started it.
func (m *Machine) offerKept(p *Program, e *Event) {
	t, silent := p.Trigger.(*InactivityTrigger)
	switch {
	case !silent || e.Name != t.Event:
		m.offer(p, e)
	case m.now-e.Time-t.For > p.MaxEventAge:
		m.refuse(p, "", ReasonTooOld)
	default:
		m.silence = e.Time + t.For
		m.enterIfAllowed(p, e)
		m.silence = 0
	}
}
