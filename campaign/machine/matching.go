package machine

import (
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/jsonvalue"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
)

// matching tells whether an event is what a goal, stop or wait of a chain is for. It has no state.
type matching struct {
	*turn
}

// roleOf returns what a matcher of the program is for, and the goal's id or the event's name. It
// compares addresses: a matcher belongs to one place of the program.
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

// matches reports whether e, the scope's event, is what the matcher waits for: it has the name, the
// same value of a property as the trigger (match), and meets the condition (where).
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

// sameProperty reports whether a property of the event and of the trigger is the same identifier,
// for example 7 and "7"; a missing one is not.
func (mt *matching) sameProperty(name string) bool {
	return jsonvalue.SameIdentifier(mt.scope.Event.Props.At(name), mt.scope.Trigger.Props.At(name))
}

// seen returns the first remembered event, by event time and then by arrival, that the matcher takes
// and accept lets pass, and its number in the rings; nil when there is none. The scope's event is
// restored.
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
		// Of two at one time, the one that came first stays: the ring is in the order of arrival.
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

// beforeStart reports whether an event happened before the start of a chain, which the scope looks at.
func (mt *matching) beforeStart(ch *customer.Chain, e *event.Event) bool {
	return e.Time < ch.Start(mt.scope.Trigger.Event)
}

// explain notes whether an event is what a matcher of the scope's chain waits for. Without a chain the
// matcher was asked about an entry, whose gate notes it.
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
