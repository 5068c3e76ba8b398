package machine

import (
	"sort"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
)

// chains runs the customer's chains: an event reaches goals, stops and waits, a timer ends a rest,
// and what is ready runs step by step to its next rest, its next send or its end.
//
// ready has the chains that are to be run; it is empty between turns.
type chains struct {
	*turn

	zones       *zones
	profile     *profile
	matching    *matching
	experiments *experiments
	goals       *goals
	deliveries  *deliveries
	emitter     *emitter
	sends       *sends

	ready []*customer.Chain // entered or advanced by the current record, to be run
}

func (cs *chains) begin() { cs.ready = cs.ready[:0] }

// apply applies an event to the customer's chains: reversals, goals, stops, waits (L1).
// Ended chains are only measured.
func (cs *chains) apply(e *event.Event) {
	if !cs.set.Ringed[e.Name] {
		return
	}
	for _, ch := range cs.c.Chains {
		p := cs.set.ProgramOf(ch)
		if p == nil || !p.HearsOf(e.Name) {
			continue
		}
		cs.look(ch)
		cs.goals.reverse(p, ch, e)
		if cs.matching.beforeStart(ch, e) {
			if cs.trace != nil {
				cs.explainBefore(p, ch, e)
			}
			if ch.Live() && e.Time >= ch.EntryStart(cs.scope.Trigger.Event) {
				cs.waitSinceEntry(p, ch, e) // it is older than a trigger that the chain took since
			}
			continue
		}
		cs.reachGoals(p, ch, e)
		if ch.Live() {
			cs.stops(p, ch, e)
		}
		if ch.Live() {
			cs.waits(p, ch, e)
		} else {
			cs.recallLate(p, ch, e)
		}
	}
}

// recallLate takes back what an ended chain handed off and has not left, when an
// event comes that would have stopped the chain.
func (cs *chains) recallLate(p *program.Program, ch *customer.Chain, e *event.Event) {
	if !cs.c.HasPending(ch) {
		return
	}
	stopping := false
	for i := range p.Goals {
		g := &p.Goals[i]
		stopping = stopping || g.Stop && cs.goals.inTime(g, ch, e) && cs.matching.matches(&g.Match, e, ch.Campaign)
	}
	for i := range p.Stops {
		stopping = stopping || cs.matching.matches(&p.Stops[i], e, ch.Campaign)
	}
	if stopping {
		cs.deliveries.recall(ch)
	}
}

// reachGoals measures the goals of a chain by an event; one that stops the chain ends it.
func (cs *chains) reachGoals(p *program.Program, ch *customer.Chain, e *event.Event) {
	reached, stopping := cs.goals.measure(p, ch, e)
	switch {
	case stopping != "" && ch.Live():
		ch.EndedBy = stopping
		cs.end(ch, output.ByGoal, output.ReasonGoal, stopping)
	case reached:
		cs.out.chain(ch)
	}
}

func (cs *chains) stops(p *program.Program, ch *customer.Chain, e *event.Event) {
	for i := range p.Stops {
		if cs.matching.matches(&p.Stops[i], e, ch.Campaign) {
			cs.end(ch, output.Stopped, output.ReasonStop, e.Name)
			return
		}
	}
}

// waits answers or restarts the wait in which a chain rests. An event from before the
// system, marked historical, is what a wait "since: step" looks past.
func (cs *chains) waits(p *program.Program, ch *customer.Chain, e *event.Event) {
	w, at := p.OpenWait(ch)
	if w == nil || e.Historical && !w.FromEntry || cs.answer(p, ch, w, at, e) {
		return
	}
	if w.RestartOn != nil && !e.Historical && ch.Restarts < w.MaxRestarts &&
		cs.matching.matches(w.RestartOn, e, ch.Campaign) {
		ch.Restarts++
		ch.Opened, ch.Due, ch.Wake = cs.now, cs.now+w.Timeout, 0
		cs.freeze(ch, 0)
		if cs.trace != nil {
			cs.explainRest(p, ch)
		}
	}
}

func (cs *chains) waitSinceEntry(p *program.Program, ch *customer.Chain, e *event.Event) {
	if w, at := p.OpenWait(ch); w != nil && w.FromEntry {
		cs.answer(p, ch, w, at, e)
	}
}

// answer moves a chain on where its wait is for an event.
func (cs *chains) answer(p *program.Program, ch *customer.Chain, w *program.Wait, at int, e *event.Event) bool {
	for i := range w.For {
		if cs.matching.matches(&w.For[i], e, ch.Campaign) {
			cs.moveOn(ch, cs.jumpBack(p, ch, at, w.For[i].Target(p, at)))
			return true
		}
	}
	return false
}

// wake lets a chain run when the record is applied.
func (cs *chains) wake(ch *customer.Chain) { cs.ready = append(cs.ready, ch) }

// moveOn sends a resting chain to a step, to be run when the record is applied. One that a
// later version leaves behind ends where it is: a result comes before the customer's turn.
func (cs *chains) moveOn(ch *customer.Chain, step string) {
	if cs.leftBehind(ch) {
		return
	}
	ch.Step, ch.Due, ch.Wake, ch.Restarts, ch.Held = step, 0, 0, 0, nil
	cs.wake(ch)
}

// runReady runs the chains that the record entered or advanced, by campaign
// name and entry number, each until it rests.
func (cs *chains) runReady() {
	if len(cs.ready) > 1 { // mostly there is one, and sorting none costs memory too
		sort.SliceStable(cs.ready, func(i, j int) bool { return cs.ready[i].Before(cs.ready[j]) })
	}
	planned := cs.planned
	for _, ch := range cs.ready {
		if ch.Live() {
			cs.planned = planned // a delay that is over already sets its own
			from := cs.out.mark()
			cs.run(ch)
			cs.out.attribute(ch, from)
		}
	}
	cs.ready = cs.ready[:0]
}

// end ends a chain. Unless it simply completed or chose to exit, what it handed
// off and has not left is recalled (L3).
func (cs *chains) end(ch *customer.Chain, outcome output.Outcome, reason output.Reason, detail string) {
	step := ch.Step
	ch.Outcome, ch.EndedAt, ch.Due, ch.Wake, ch.Held = outcome, cs.now, 0, 0, nil
	if e := cs.c.Entry(ch.Campaign, "", false); e != nil {
		e.LastOut = cs.now
	}
	if e := cs.c.Entry(ch.Campaign, ch.Key, true); e != nil {
		e.LastOut = cs.now
	}
	cs.out.decideChain(ch, output.Ended, reason, step, detail)
	cs.experiments.updateMaturity(ch)
	if outcome == output.ByGoal || outcome == output.Stopped || outcome == output.Preempted || outcome == output.Moved {
		cs.deliveries.recall(ch)
	}
	cs.out.chain(ch)
}
