package machine

import (
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/jsonvalue"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
)

// matching says whether an event is what a goal, stop or wait of a chain is for. It has no state.
type matching struct {
	*turn
}

// roleOf is what a matcher of the program is for.
func roleOf(p *program.Program, match *program.Matcher) (rule trace.Rule, about string) {
	for i := range p.Goals {
		switch g := &p.Goals[i]; match {
		case &g.Match:
			return trace.RuleGoal, g.ID
		case g.ReverseOn:
			return trace.RuleReverse, g.ID
		}
	}
	for i := range p.Stops {
		if match == &p.Stops[i] {
			return trace.RuleStop, match.Event
		}
	}
	for i := range p.Steps {
		if w, ok := p.Steps[i].Verb.(*program.Wait); ok && match == w.RestartOn {
			return trace.RuleRestart, match.Event
		}
	}
	return trace.RuleWait, match.Event
}

// matches says whether e, the scope's event, is what the matcher waits for.
func (mt *matching) matches(match *program.Matcher, e *event.Event, campaign string) bool {
	if match.Event != e.Name {
		return false
	}
	if mt.trace != nil {
		mt.explain(match, e)
	}
	if match.Match != "" && !mt.sameProperty(match.Match) {
		return false
	}
	return match.Where == nil || mt.holds(match.Where, campaign)
}

// sameProperty compares a property of the event and of the trigger as identifiers; a
// missing one does not match.
func (mt *matching) sameProperty(name string) bool {
	return jsonvalue.SameIdentifier(mt.scope.Event.Props.At(name), mt.scope.Trigger.Props.At(name))
}

// seen looks through the ring for the first event, by event time and then by arrival, that
// the matcher accepts among those that accept says to look at; nil when there is none. The
// scope's event is restored.
func (mt *matching) seen(
	match *program.Matcher,
	campaign string,
	accept func(*customer.RecentEvent, *event.Event) bool,
) (first *event.Event, place uint64) {
	r := mt.c.Ring(match.Event)
	if r == nil {
		return nil, 0
	}
	current := mt.scope.Event.Event
	for i := range r.Events {
		e := event.DecodeBody(r.Events[i].Event)
		if e == nil || !accept(&r.Events[i], e) || first != nil && e.Time >= first.Time {
			continue
		}
		mt.scope.Event.Set(e)
		if mt.matches(match, e, campaign) {
			first, place = e, r.Events[i].N
		}
	}
	mt.scope.Event.Set(current)
	return first, place
}

// beforeStart says whether an event happened before the chain that the scope looks at
// began.
func (mt *matching) beforeStart(ch *customer.Chain, e *event.Event) bool {
	return e.Time < ch.Start(mt.scope.Trigger.Event)
}

// explain notes that an event of the name that a matcher waits for came to a chain.
// Without a chain it is asked about an entry, which has a row of its own.
func (mt *matching) explain(match *program.Matcher, e *event.Event) {
	ch := mt.scope.Chain.Chain
	if ch == nil {
		return
	}
	p := mt.set.ProgramOf(ch)
	if p == nil {
		return
	}
	holds := match.Match == "" || mt.sameProperty(match.Match)
	if holds && match.Where != nil {
		holds, _ = match.Where.Holds(mt.scope)
	}
	a := trace.Row(p, ch, "", trace.AnswerOf(holds))
	a.Rule, a.About = roleOf(p, match)
	if e.ID != mt.eventID { // one from before, that the chain looks back at
		a.Facts = append(a.Facts, trace.TextFact("event id", e.ID), trace.TimeFact("event time", e.Time))
	}
	if match.Match != "" {
		a.Facts = append(a.Facts,
			trace.JSONFact("event.properties."+match.Match, mt.scope.Event.Props.At(match.Match)),
			trace.JSONFact("trigger.properties."+match.Match, mt.scope.Trigger.Props.At(match.Match)))
	}
	mt.trace.Note(mt.exprFacts(a, match.Where))
}
