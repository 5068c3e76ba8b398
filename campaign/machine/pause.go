package machine

import (
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
)

// maxQueued bounds the entries that paused campaigns keep for one customer; more are refused.
const maxQueued = 100

// frozen reports whether the chains of a chain's campaign stand still, by the version in force: the
// version to which a chain is pinned has no say in that.
func (cs *chains) frozen(ch *customer.Chain) bool {
	p := cs.set.ByName[ch.Campaign]
	return p != nil && p.Frozen()
}

// freeze stops the timer of a chain whose campaign stands still, or lets it go again: a timer that is
// overdue then fires at earliest (ms), when the customer is re-planned, and counts as late. Due keeps
// the instant; Wake is what stops it.
func (cs *chains) freeze(ch *customer.Chain, earliest int64) {
	switch frozen := cs.frozen(ch); {
	// Due stays, so that the timer is not lost when the pause ends.
	case frozen && ch.Due != 0:
		ch.Wake = customer.Never
	case !frozen && ch.Wake == customer.Never:
		if ch.Wake = 0; ch.Due < earliest {
			ch.Wake = earliest
		}
	}
}

// hold keeps a chain before the step that it has come to while its campaign stands still, and reports
// whether it does. A chain that has come to its end ends all the same.
func (cs *chains) hold(ch *customer.Chain) bool {
	if ch.Step == program.EndStep || !cs.frozen(ch) {
		return false
	}
	ch.Still, ch.Due, ch.Wake = true, cs.now, customer.Never
	return true
}

// release offers the entries that were kept to the campaigns that are no longer paused. The gates are
// asked as if the event came now, so one that has grown too old is refused.
func (m *Machine) release(out *output.Output) {
	var waiting, ready []customer.Queued
	for _, q := range m.c.Queue {
		if p := m.set.ByName[q.Campaign]; p != nil && p.Status == program.StatusPaused {
			waiting = append(waiting, q)
		} else {
			ready = append(ready, q)
		}
	}
	if len(ready) == 0 {
		return
	}
	m.c.Queue = waiting
	for _, q := range ready {
		p, e := m.set.ByName[q.Campaign], event.DecodeBody(q.Trigger)
		if p == nil || e == nil {
			continue
		}
		// The rows name the event that was kept, as if it came now.
		m.eventID = e.ID
		m.scope.Chain.Chain = nil
		m.scope.Event.Set(e)
		m.scope.Trigger.Set(e)
		m.entries.tryEnterKept(p, e)
		m.rest()
		m.followProfile(nil) // it is the new version that starts the chain, not the event
	}
	m.applyEmitted(out)
	m.chains.prune()
}

// tryEnterKept offers an entry that was kept. One by an inactivity counts as old as the end of the
// silence: its event is older, and was not what should have started it.
func (es *entries) tryEnterKept(p *program.Program, e *event.Event) {
	t, silent := p.Trigger.(*program.InactivityTrigger)
	if !silent || e.Name != t.Event {
		es.tryEnter(p, e)
		return
	}
	es.silence = e.Time + t.For
	q := es.entry(p, e)
	q.aged, q.since = true, es.silence
	es.enterIfAllowed(q)
	es.silence = 0
}
