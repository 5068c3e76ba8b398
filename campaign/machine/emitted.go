package machine

import (
	"strconv"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
)

// emitter keeps the events and starts that steps made, to be applied after the current input in the
// order made. Both limits below keep campaigns that set each other off from running without end.
type emitter struct {
	*turn

	// queue is empty between inputs; made counts towards maxEmittedEvents.
	queue []emitted
	made  int // since the last record of the log
}

// Limits of the events and starts that steps make, and the name of the event behind a start.
const (
	// An event may lead to an event that leads to an event, and so on.
	maxEmittedDepth  = 8        // an event of an event of an event ...
	maxEmittedEvents = 256      // records that one record of the log leads to
	maxEmitted       = 16 << 10 // bytes of the properties of one event
	startEvent       = "$start" // name of the trigger event of a chain that a step started
)

// emitted is an event or a start that a step made; it is applied after the current input.
type emitted struct {
	event    event.Event
	campaign string // that a start step names; empty for an emitted event
	depth    int    // 1 for what a record of the log or a timer leads to
}

// emit queues the event of an emit step. One whose properties are over maxEmitted is not made.
func (em *emitter) emit(v *program.Emit, ch *customer.Chain) {
	properties := em.object(v.Properties, ch)
	if len(properties) > maxEmitted {
		em.out.decideChain(ch, output.Erred, output.ReasonTooLarge, ch.Step, v.Event)
		return
	}
	em.put(ch, output.Emitted, v.Event, emitted{event: event.Event{Name: v.Event, Properties: properties}})
}

// start queues the start of another campaign's chain. Its trigger event has the properties and the
// context of the trigger of this chain.
func (em *emitter) start(v *program.Start, ch *customer.Chain) {
	e := event.Event{Name: startEvent}
	if t := em.scope.Trigger.Event; t != nil {
		e.Properties, e.Context = t.Properties, t.Context
	}
	em.put(ch, output.Started, v.Campaign, emitted{event: e, campaign: v.Campaign})
}

// put completes a derived event and queues it, or records that a limit drops it. Its id follows from
// the chain, the step and the round of a loop, so that replay gives it the same one and duplicates
// are recognised.
func (em *emitter) put(ch *customer.Chain, kind output.Kind, detail string, d emitted) {
	d.depth = em.depth + 1
	switch {
	case d.depth > maxEmittedDepth:
		em.out.decideChain(ch, output.Dropped, output.ReasonDepth, ch.Step, detail)
		return
	case em.made >= maxEmittedEvents:
		em.out.decideChain(ch, output.Dropped, output.ReasonTooManyMade, ch.Step, detail)
		return
	}
	em.made++
	chain := ch.ID(em.c)
	d.event.ID = output.NewID("derived", string(chain[:]), ch.Step, strconv.Itoa(int(ch.BackJumps))).String()
	d.event.Workspace, d.event.Customer, d.event.Type, d.event.Time = em.c.Workspace, em.c.ID, event.Track, em.now
	em.queue = append(em.queue, d)
	em.out.decideChain(ch, kind, output.NoReason, ch.Step, detail)
}

// next removes and returns what was made first.
//
// REQUIRES: pending.
func (em *emitter) next() *emitted {
	d := &em.queue[0]
	em.queue = em.queue[1:]
	return d
}

// reset ends the count of what an input led to, when all of it is applied.
func (em *emitter) reset() { em.queue, em.made = nil, 0 }

// pending reports whether something that was made is not applied yet.
func (em *emitter) pending() bool { return len(em.queue) > 0 }
