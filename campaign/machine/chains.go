package machine

import (
	"slices"
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

// resume lets a chain that rests in a held send ask the gates again. A chain that a later version does
// not take along ends, as in moveOn.
func (cs *chains) resume(ch *customer.Chain) {
	if cs.leftBehind(ch) {
		return
	}
	ch.Due, ch.Wake = 0, 0
	// Several causes of one record can resume it.
	if !slices.Contains(cs.ready, ch) {
		cs.ready = append(cs.ready, ch)
	}
}

// heldSend reports whether the chain is held at a send. Held alone does not tell: a new version
// can have made another verb of the step.
func (cs *chains) heldSend(ch *customer.Chain) bool {
	p := cs.set.ProgramOf(ch)
	if ch.Held == nil || p == nil {
		return false
	}
	s, _ := p.Step(ch.Step)
	if s == nil {
		return false
	}
	_, sends := s.Verb.(*program.Send)
	return sends
}

// resumeHeld lets the chains ask again whose sends are held for one of the reasons, because what
// caused it has changed: a cap got room, or the customer's local time moved.
func (cs *chains) resumeHeld(reasons ...output.Reason) {
	for _, ch := range cs.c.Chains {
		if ch.Live() && cs.heldSend(ch) && slices.Contains(reasons, ch.Held.Reason) {
			cs.resume(ch)
		}
	}
}

// recheck shows chains of one of two merged customers what the other did before they merged, as far as
// it is remembered, in the order in which it came: reversals, goals and stops. Waits do not look at
// it: what happened before the merge answers no wait.
func (cs *chains) recheck(chains []*customer.Chain, events []customer.RecentEvent) {
	if len(chains) == 0 {
		return
	}
	for _, r := range events {
		e := event.DecodeBody(r.Event)
		// What cannot be decoded matches nothing.
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

// measureUntil returns the instant (ms) until which an ended chain may still convert, or a conversion
// of it be taken back; 0 when nothing of it is measured any more.
func measureUntil(p *program.Program, ch *customer.Chain) int64 {
	until := int64(0)
	for i := range p.Goals {
		g := &p.Goals[i]
		// A reached goal is measured on while its conversion can be taken back.
		if t := ch.Reversal(g.ID); t != nil && !t.Done && g.ReverseOn != nil {
			until = max(until, reversibleUntil(t, ch, g)+measureGrace)
		}
		if g.Window == 0 || ch.Reached(g.ID) {
			continue
		}
		// A window that counts from the delivery has not begun without one.
		base := ch.EnteredAt
		if g.FromDelivery {
			if ch.LastSend == 0 {
				continue
			}
			base = ch.LastSend
		}
		until = max(until, base+g.Window+measureGrace)
	}
	return until
}

// measureGrace is how long after its goal windows an ended chain is still measured, in ms of log time:
// 24 hours, as long as duplicates are recognised. Events that come later than that are not expected.
const measureGrace = 24 * 3600 * 1000

// prune drops what can no longer matter: old time stamps of traits, ended chains without pending
// deliveries whose goal windows are over, and beyond MaxEnded those that ended first.
func (cs *chains) prune() {
	cs.c.DropStamps(cs.now)
	ended := 0
	kept := cs.c.Chains[:0]
	for _, ch := range cs.c.Chains {
		if !ch.Live() {
			p := cs.set.ProgramOf(ch)
			if !cs.c.HasPending(ch) && (p == nil || measureUntil(p, ch) < cs.now) {
				continue
			}
			ended++
		}
		kept = append(kept, ch)
	}
	// Chains that would still be measured are dropped here: the bound on memory goes before the
	// measurement.
	for ; ended > customer.MaxEnded; ended-- {
		first := -1
		for i, ch := range kept {
			if !ch.Live() && (first < 0 || ch.EndedAt < kept[first].EndedAt) {
				first = i
			}
		}
		kept = slices.Delete(kept, first, first+1)
	}
	// The slots behind would keep the dropped chains in memory.
	clear(cs.c.Chains[len(kept):])
	cs.c.Chains = kept
}
