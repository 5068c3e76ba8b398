package campaign

import (
	"strconv"
	"strings"
)

// traceMatch notes that an event of the name that a matcher waits for came to a chain.
// Without a chain it is asked about an entry, which has a row of its own.
func (m *Machine) traceMatch(match *Matcher, e *Event) {
	ch := m.scope.chain.c
	if ch == nil {
		return
	}
	p := m.set.of(ch)
	if p == nil {
		return
	}
	holds := match.Match == "" || m.sameProperty(match.Match)
	if holds && match.Where != nil {
		holds, _ = match.Where.holds(m.scope)
	}
	a := row(p, ch, "", answer(holds))
	a.Rule, a.About = roleOf(p, match)
	if e.ID != m.eventID { // one from before, that the chain looks back at
		a.Facts = append(a.Facts, textFact("event id", e.ID), timeFact("event time", e.Time))
	}
	if match.Match != "" {
		a.Facts = append(a.Facts,
			jsonFact("event.properties."+match.Match, m.scope.event.props.at(match.Match)),
			jsonFact("trigger.properties."+match.Match, m.scope.trigger.props.at(match.Match)))
	}
	m.trace.note(m.exprFacts(a, match.Where))
}

// roleOf is what a matcher of the program is for.
func roleOf(p *Program, match *Matcher) (rule Rule, about string) {
	for i := range p.Goals {
		switch g := &p.Goals[i]; match {
		case &g.Match:
			return RuleGoal, g.ID
		case g.ReverseOn:
			return RuleReverse, g.ID
		}
	}
	for i := range p.Stops {
		if match == &p.Stops[i] {
			return RuleStop, match.Event
		}
	}
	for i := range p.Steps {
		if w, ok := p.Steps[i].Verb.(*Wait); ok && match == w.RestartOn {
			return RuleRestart, match.Event
		}
	}
	return RuleWait, match.Event
}

// traceBefore notes that an event that a chain waits for happened before the chain began.
func (m *Machine) traceBefore(p *Program, ch *Chain, e *Event) {
	for _, match := range p.matchers() {
		if match.Event != e.Name {
			continue
		}
		a := row(p, ch, "", No, timeFact("event time", e.Time),
			timeFact("the chain began", ch.start(m.scope.trigger.e)))
		if a.Rule, a.About = roleOf(p, match); a.Rule != RuleReverse {
			m.trace.note(a)
		}
	}
}

// traceWindow notes a goal's event that is outside of the goal's window.
func (m *Machine) traceWindow(p *Program, g *Goal, ch *Chain, e *Event) {
	if g.Match.Event != e.Name || ch.reached(g.ID) || m.inWindow(g, ch, e) {
		return
	}
	a := row(p, ch, RuleGoal, No, timeFact("event time", e.Time), timeFact("entered at", ch.EnteredAt))
	a.About = g.ID
	if end, bounded := windowEnd(ch, g); bounded {
		a.Facts = append(a.Facts, timeFact("window until", end))
	}
	m.trace.note(a)
}

// traceBranch notes the arms of a branch up to the one that is taken.
func (m *Machine) traceBranch(b *Branch, ch *Chain) {
	p := m.set.of(ch)
	for i := range b.Arms {
		arm := &b.Arms[i]
		holds := arm.When == nil
		if !holds {
			holds, _ = arm.When.holds(m.scope)
		}
		a := row(p, ch, RuleBranch, answer(holds))
		a.About = "arm " + strconv.Itoa(i+1) + ": " + arm.Goto
		m.trace.note(m.exprFacts(a, arm.When))
		if holds {
			return
		}
	}
}

// traceExperiment notes by what a chain's variant is found.
func (m *Machine) traceExperiment(p *Program, step string, x *Experiment, ch *Chain) {
	salt := x.Salt
	if salt == "" {
		salt = p.Name + "/" + step
	}
	a := row(p, ch, RuleExperiment, Note, numberFact("bucket", Bucket(salt, m.c.ID)))
	a.Step = step
	if winner := m.set.winner(p.Name, step); winner != "" {
		a.Facts = append(a.Facts, textFact("winner", winner))
	}
	for i := range ch.Variants {
		if ch.Variants[i].Step == step {
			a.Facts = append(a.Facts, textFact("had before", ch.Variants[i].Variant))
		}
	}
	total, sum := 0, 0
	for i := range x.Variants {
		total += x.Variants[i].Weight
	}
	for i := range x.Variants {
		sum += x.Variants[i].Weight
		a.Facts = append(a.Facts, numberFact(x.Variants[i].ID+" below", sum*buckets/total))
	}
	m.trace.note(a)
}

// traceRest notes what a chain waits for, and until when.
func (m *Machine) traceRest(p *Program, ch *Chain) { m.trace.note(m.resting(p, ch)) }

func (m *Machine) resting(p *Program, ch *Chain) Asked {
	a := row(p, ch, RuleRest, Note)
	s, at := p.step(ch.Step)
	if s == nil {
		a.About = "a step that is no more"
		return a
	}
	a.About = s.Verb.verb()
	switch v := s.Verb.(type) {
	case *Wait:
		for i := range v.For {
			a.Facts = append(a.Facts, textFact("for", v.For[i].text()+", then "+v.For[i].target(p, at)))
		}
		if v.RestartOn != nil {
			a.Facts = append(a.Facts, textFact("restarted by", v.RestartOn.text()),
				numberFact("restarts", ch.Restarts), numberFact("at most", v.MaxRestarts))
		}
	case *Until:
		loc := m.loadZone(v.Zone)
		if loc == nil {
			loc = m.zone(p)
		}
		a.Facts = append(a.Facts, textFact("at", clock(v.Minute)), textFact("zone", loc.String()))
	case *Send:
		if ch.Held != nil {
			a.Facts = append(a.Facts, textFact("held by", string(ch.Held.Reason)),
				textFact("channels", strings.Join(ch.Held.Open, ", ")))
		}
	case *Call:
		a.Facts = append(a.Facts, textFact("for", "the reply, then "+p.after(at)))
	case *Delay, *Branch, *Exit, *SetProfile, *Emit, *Start, *Experiment:
	}
	switch wake := ch.wakeAt(); {
	case m.frozen(ch):
		a.Facts = append(a.Facts, textFact("stands still", "the campaign is "+m.set.byName[ch.Campaign].Status.word()))
	case wake == Never:
		a.Facts = append(a.Facts, Fact{Name: "until"})
	default:
		a.Facts = append(a.Facts, timeFact("until", wake))
	}
	a.Facts = append(a.Facts, textFact("then", p.onTimer(ch, at)))
	return a
}
