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
// A chain rests while Due or Wake names an instant or it waits for an event; it is ready while it is
// in the list ready; it stands at a send while it is in the queue of sends. It never is two of them.
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

	// ready has the chains that the current input entered or advanced and that are to be run; it is
	// empty between inputs.
	ready []*customer.Chain // entered or advanced by the current record, to be run
}

// begin empties the list of chains to be run, for the next input.
func (cs *chains) begin() { cs.ready = cs.ready[:0] }

// apply applies an event to the customer's chains, in this order (L1): reversals, goals, stops, waits.
// A goal that ends the chain therefore counts before a stop by the same event. Ended chains are only
// measured. An event from before the chain's start is not the chain's, except that it may be one
// that a wait "since: entry" asks for.
//
// The first check skips events that nothing names: those in Recorded are all that chains can ask for.
func (cs *chains) apply(e *event.Event) {
	if !cs.set.Recorded[e.Name] {
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

// recallLate recalls what an ended chain handed off and no channel has taken yet, when an event comes
// that would have stopped the chain: nobody wants a reminder of a cart that was bought meanwhile.
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

// reachGoals measures the goals of a chain by an event. A goal with stop ends the chain, which writes
// its row; else the row is written here.
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

// stops ends a chain whose stop condition an event meets.
func (cs *chains) stops(p *program.Program, ch *customer.Chain, e *event.Event) {
	for i := range p.Stops {
		if cs.matching.matches(&p.Stops[i], e, ch.Campaign) {
			cs.end(ch, output.Stopped, output.ReasonStop, e.Name)
			return
		}
	}
}

// waits answers or restarts the wait in which a chain rests. An event marked historical, imported
// from before the engine was in use, does not answer a wait unless that looks back to the entry.
// An event that both answers and restarts a wait answers it.
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

// waitSinceEntry answers a wait that looks back to the entry; others ignore the event.
func (cs *chains) waitSinceEntry(p *program.Program, ch *customer.Chain, e *event.Event) {
	if w, at := p.OpenWait(ch); w != nil && w.FromEntry {
		cs.answer(p, ch, w, at, e)
	}
}

// answer moves a chain on if an event is one that its wait w, at step index at, is for, and reports
// whether it is. The first matcher that accepts the event decides where the chain goes.
func (cs *chains) answer(p *program.Program, ch *customer.Chain, w *program.Wait, at int, e *event.Event) bool {
	for i := range w.For {
		if cs.matching.matches(&w.For[i], e, ch.Campaign) {
			cs.moveOn(ch, cs.jumpBack(p, ch, at, w.For[i].Target(p, at)))
			return true
		}
	}
	return false
}

// wake puts a chain among those that run when the input was looked at in full.
func (cs *chains) wake(ch *customer.Chain) { cs.ready = append(cs.ready, ch) }

// moveOn sends a resting chain to a step, to be run when the input is applied, and clears what
// belonged to the rest. A chain that a later version does not take along ends where it is: the
// result of a delivery can come before the customer is re-planned.
func (cs *chains) moveOn(ch *customer.Chain, step string) {
	if cs.leftBehind(ch) {
		return
	}
	ch.Step, ch.Due, ch.Wake, ch.Restarts, ch.Held = step, 0, 0, 0, nil
	cs.wake(ch)
}

// runReady runs the chains that the input entered or advanced, by campaign name and entry number,
// each until it rests. The order does not depend on which trigger or timer woke them.
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

// end ends a chain and writes its last row. Unless it simply completed or chose to exit, what it
// handed off and no channel has taken is recalled (L3).
func (cs *chains) end(ch *customer.Chain, outcome output.Outcome, reason output.Reason, detail string) {
	step := ch.Step
	ch.Outcome, ch.EndedAt, ch.Due, ch.Wake, ch.Held = outcome, cs.now, 0, 0, nil
	// The end counts for cooldowns "from exit", of the campaign and of the key.
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
