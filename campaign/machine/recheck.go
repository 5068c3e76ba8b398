package machine

import (
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/program"
)

// recheck asks chains about what the other of two customers did before they merged, as
// far as it is remembered: reversals, goals and stops, in the order in which it came.
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

// recheckOne asks a chain about a remembered event, the scope's.
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

// recheckLater asks a chain that took a new trigger about what happened after it and came
// before it.
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
