package machine

import (
	"strconv"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
)

// emitter keeps the records that steps made, to be applied after the current one in the order
// made. There are at most maxEmittedEvents for one record of the log, at most maxEmittedDepth
// deep.
type emitter struct {
	*turn

	queue []emitted
	made  int // since the last record of the log
}

// Limits of what steps make.
const (
	maxEmittedDepth  = 8        // an event of an event of an event ... (design R15)
	maxEmittedEvents = 256      // records that one record of the log leads to
	maxEmitted       = 16 << 10 // bytes of the properties of one event
	startEvent       = "$start" // name of the trigger event of a chain that a step started
)

// emitted is a record that a step made of the current record; it is applied after it.
type emitted struct {
	event    event.Event
	campaign string // that a start step names; empty for an emitted event
	depth    int    // 1 for what a record of the log or a timer leads to
}

// emit puts an event behind the current record.
func (em *emitter) emit(v *program.Emit, ch *customer.Chain) {
	properties := em.object(v.Properties, ch)
	if len(properties) > maxEmitted {
		em.out.decideChain(ch, output.Erred, output.ReasonTooLarge, ch.Step, v.Event)
		return
	}
	em.put(ch, output.Emitted, v.Event, emitted{event: event.Event{Name: v.Event, Properties: properties}})
}

// start puts the start of another campaign's chain behind the current record. Its
// trigger has the properties of the trigger of this chain.
func (em *emitter) start(v *program.Start, ch *customer.Chain) {
	e := event.Event{Name: startEvent}
	if t := em.scope.Trigger.Event; t != nil {
		e.Properties, e.Context = t.Properties, t.Context
	}
	em.put(ch, output.Started, v.Campaign, emitted{event: e, campaign: v.Campaign})
}

// put completes a derived record and puts it behind the current record, within the
// limits.
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

// next takes the record that was made first.
func (em *emitter) next() (d emitted, ok bool) {
	if len(em.queue) == 0 {
		em.queue, em.made = nil, 0
		return emitted{}, false
	}
	d, em.queue = em.queue[0], em.queue[1:]
	return d, true
}

// pending says whether a record that was made is not applied yet.
func (em *emitter) pending() bool { return len(em.queue) > 0 }
