package machine

import (
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/program"
)

// recheck shows chains of one of two merged customers what the other did before they merged, as far as
// it is remembered, in the order in which it came: reversals, goals and stops. Waits do not look at
// it: what happened before the merge answers no wait.
func (cs *chains) recheck(chains []*customer.Chain, events []customer.RecentEvent) {
	if len(chains) == 0 {
		return
	}
	for _, r := range events {
		e := event.DecodeBody(r.Event)
		if e == nil {
			continue
		}
		cs.eventID = e.ID
		cs.scope.Event.Set(e)
		for _, ch := range chains {
			p := cs.set.ProgramOf(ch)
			if p == nil {
				continue
			}
			cs.recheckOne(p, ch, e)
		}
	}
	cs.eventID = ""
	cs.scope.Event.Set(nil)
}

// recheckOne shows a chain a remembered event, which is the scope's.
func (cs *chains) recheckOne(p *program.Program, ch *customer.Chain, e *event.Event) {
	cs.look(ch)
	cs.goals.reverse(p, ch, e)
	if cs.matching.beforeStart(ch, e) {
		return
	}
	cs.reachGoals(p, ch, e)
	if ch.Live() {
		cs.stops(p, ch, e)
	} else {
		cs.recallLate(p, ch, e)
	}
}

// recheckLater shows a chain that took a new trigger the remembered events that happened after it
// (event time after, ms) and came before it. It restores the scope's event.
func (cs *chains) recheckLater(ch *customer.Chain, after int64) {
	current := cs.scope.Event.Event
	for _, r := range customer.RecentEventIn(cs.c.Rings) {
		p, e := cs.set.ProgramOf(ch), event.DecodeBody(r.Event)
		if p == nil || e == nil || e.Time <= after || !p.HearsOf(e.Name) {
			continue
		}
		cs.scope.Event.Set(e)
		cs.recheckOne(p, ch, e)
	}
	cs.scope.Event.Set(current)
	cs.look(ch)
}
