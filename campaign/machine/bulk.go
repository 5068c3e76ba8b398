package machine

import (
	"fmt"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
	"github.com/nudge-engine/nudge/campaign/unit"
)

// broadcast enters a chain for an event without a customer, where the audience of the campaign's
// trigger holds for this one.
func (ts *triggers) broadcast(p *program.Program, e *event.Event) {
	t, ok := p.Trigger.(*program.BroadcastTrigger)
	if !ok {
		return
	}
	if ts.isTargeted(p, e, t.Audience) {
		ts.entries.tryEnter(p, e)
	}
}

// isTargeted reports whether a task for all customers may start a chain for this one; audience nil
// is everybody. Customers outside of the audience are not refused one by one: a decision for each
// of them would be most of the output of a broadcast.
func (ts *triggers) isTargeted(p *program.Program, trigger *event.Event, audience *expr.Expr) bool {
	ts.scope.Chain.Chain = nil
	ts.scope.Trigger.Set(trigger)
	targeted := audience == nil || ts.entries.inAudience(p, audience, trigger)
	if ts.trace != nil {
		a := trace.Row(p, nil, trace.RuleTrigger, trace.AnswerOf(targeted))
		ts.trace.Note(ts.entries.audienceFacts(a, audience, trigger))
	}
	return targeted
}

// scheduled enters a chain for an occurrence of a schedule, due (ms). The trigger event that
// expressions see is made up: it is named $schedule and has the instant as its property at.
//
// The campaign may have changed since the occurrence was planned, hence the checks.
func (ts *triggers) scheduled(name string, due int64) {
	p := ts.set.ByName[name]
	if p == nil {
		return
	}
	if _, ok := p.Trigger.(*program.ScheduleTrigger); !ok {
		return
	}
	trigger := &event.Event{
		Type:       event.Track,
		Name:       "$schedule",
		Time:       due,
		Properties: fmt.Appendf(nil, `{"at":"%s"}`, unit.FormatTime(due)),
	}
	if ts.isTargeted(p, trigger, p.Audience) {
		ts.entries.enterByTime(p, trigger)
	}
}

// activated prepares the state of a customer who is already there for a campaign that became
// active or changed: it arms timers and notes on which side of a value the customer is. existing says
// that customers for whom the condition holds already enter (the campaign's existing: include).
func (ts *triggers) activated(name string, existing bool) {
	p := ts.set.ByName[name]
	if p == nil {
		return
	}
	ts.scope.Chain.Chain = nil
	ts.scope.Trigger.Set(nil)
	switch t := p.Trigger.(type) {
	case *program.DateTrigger:
		ts.planDates(p, t, false, false)
	case *program.InactivityTrigger:
		ts.armKnown(p, t, existing)
	case *program.SegmentTrigger, *program.ThresholdTrigger:
		ts.observe(p)
		if s := ts.sight(p); existing && s.holds() {
			ts.enterExisting(p, nil)
		}
	case *program.EventTrigger,
		*program.WebhookTrigger,
		*program.CountTrigger,
		*program.StreakTrigger,
		*program.ChangeTrigger,
		*program.BroadcastTrigger,
		*program.ScheduleTrigger: // they ask for nobody who is there
	}
}

// enterExisting enters a chain for a customer for whom the condition of the trigger holds already.
// It re-plans first: a chain that the new version ends must not be in the way of the entry.
func (ts *triggers) enterExisting(p *program.Program, trigger *event.Event) {
	ts.chains.follow()
	ts.entries.enterByTime(p, trigger)
}

// armKnown arms an inactivity trigger for a customer whose last event was counted before the
// campaign was active. If the silence is over already, the customer enters at once with existing,
// at most once for one silence. The trigger event is the last event, as far as it is remembered.
func (ts *triggers) armKnown(p *program.Program, t *program.InactivityTrigger, existing bool) {
	c := ts.c.Counter(customer.CounterID(t.Event, expr.SourceOf(t.Where)))
	if _, armed := ts.c.Watch(p.Name); armed || c == nil || c.Count == 0 {
		return
	}
	due := c.Last + t.For
	if due > ts.asOf {
		trigger := ts.isRecorded(t, p.Name, c.Last)
		ts.c.SetWatch(customer.InactivityTimer{Campaign: p.Name, Due: due, Trigger: trigger.AppendBody(nil)})
		return
	}
	e := ts.c.Entry(p.Name, "", false)
	if spent := e != nil && e.LastIn >= due; existing && !spent { // once a spell
		ts.enterExisting(p, ts.isRecorded(t, p.Name, c.Last))
	}
}

// isRecorded returns the remembered event that matches a trigger and happened at a time (ms). When
// none is remembered it returns an event with only the name and the time.
func (ts *triggers) isRecorded(t *program.InactivityTrigger, campaign string, at int64) *event.Event {
	found := &event.Event{Type: event.Track, Name: t.Event, Time: at}
	r := ts.c.Ring(t.Event)
	if r == nil {
		return found
	}
	for i := range r.Events {
		e := event.DecodeBody(r.Events[i].Event)
		if e == nil || e.Time != at {
			continue
		}
		ts.scope.Event.Set(e)
		if t.Where == nil || ts.holds(t.Where, campaign) {
			found = e
		}
	}
	ts.scope.Event.Set(nil)
	return found
}
