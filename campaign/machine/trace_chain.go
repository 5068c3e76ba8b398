package machine

import (
	"strconv"
	"strings"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
)

// traceMatch notes that an event of the name that a matcher waits for came to a chain.
// Without a chain it is asked about an entry, which has a row of its own.
func (m *Machine) traceMatch(match *program.Matcher, e *event.Event) {
	ch := m.scope.Chain.Chain
	if ch == nil {
		return
	}
	p := m.set.ProgramOf(ch)
	if p == nil {
		return
	}
	holds := match.Match == "" || m.sameProperty(match.Match)
	if holds && match.Where != nil {
		holds, _ = match.Where.Holds(m.scope)
	}
	a := trace.Row(p, ch, "", trace.AnswerOf(holds))
	a.Rule, a.About = roleOf(p, match)
	if e.ID != m.eventID { // one from before, that the chain looks back at
		a.Facts = append(a.Facts, trace.TextFact("event id", e.ID), trace.TimeFact("event time", e.Time))
	}
	if match.Match != "" {
		a.Facts = append(a.Facts,
			trace.JSONFact("event.properties."+match.Match, m.scope.Event.Props.At(match.Match)),
			trace.JSONFact("trigger.properties."+match.Match, m.scope.Trigger.Props.At(match.Match)))
	}
	m.trace.Note(m.exprFacts(a, match.Where))
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

// traceBefore notes that an event that a chain waits for happened before the chain began.
func (m *Machine) traceBefore(p *program.Program, ch *customer.Chain, e *event.Event) {
	for _, match := range p.Matchers() {
		if match.Event != e.Name {
			continue
		}
		a := trace.Row(p, ch, "", trace.No, trace.TimeFact("event time", e.Time),
			trace.TimeFact("the chain began", ch.Start(m.scope.Trigger.Event)))
		if a.Rule, a.About = roleOf(p, match); a.Rule != trace.RuleReverse {
			m.trace.Note(a)
		}
	}
}

// traceWindow notes a goal's event that is outside of the goal's window.
func (m *Machine) traceWindow(p *program.Program, g *program.Goal, ch *customer.Chain, e *event.Event) {
	if g.Match.Event != e.Name || ch.Reached(g.ID) || m.inWindow(g, ch, e) {
		return
	}
	a := trace.Row(
		p,
		ch,
		trace.RuleGoal,
		trace.No,
		trace.TimeFact("event time", e.Time),
		trace.TimeFact("entered at", ch.EnteredAt),
	)
	a.About = g.ID
	if end, bounded := windowEnd(ch, g); bounded {
		a.Facts = append(a.Facts, trace.TimeFact("window until", end))
	}
	m.trace.Note(a)
}

// traceBranch notes the arms of a branch up to the one that is taken.
func (m *Machine) traceBranch(b *program.Branch, ch *customer.Chain) {
	p := m.set.ProgramOf(ch)
	for i := range b.Arms {
		arm := &b.Arms[i]
		holds := arm.When == nil
		if !holds {
			holds, _ = arm.When.Holds(m.scope)
		}
		a := trace.Row(p, ch, trace.RuleBranch, trace.AnswerOf(holds))
		a.About = "arm " + strconv.Itoa(i+1) + ": " + arm.Goto
		m.trace.Note(m.exprFacts(a, arm.When))
		if holds {
			return
		}
	}
}

// traceExperiment notes by what a chain's variant is found.
func (m *Machine) traceExperiment(p *program.Program, step string, x *program.Experiment, ch *customer.Chain) {
	salt := x.Salt
	if salt == "" {
		salt = p.Name + "/" + step
	}
	a := trace.Row(p, ch, trace.RuleExperiment, trace.Note, trace.NumberFact("bucket", program.Bucket(salt, m.c.ID)))
	a.Step = step
	if winner := m.set.Winner(p.Name, step); winner != "" {
		a.Facts = append(a.Facts, trace.TextFact("winner", winner))
	}
	for i := range ch.Variants {
		if ch.Variants[i].Step == step {
			a.Facts = append(a.Facts, trace.TextFact("had before", ch.Variants[i].Variant))
		}
	}
	total, sum := 0, 0
	for i := range x.Variants {
		total += x.Variants[i].Weight
	}
	for i := range x.Variants {
		sum += x.Variants[i].Weight
		a.Facts = append(a.Facts, trace.NumberFact(x.Variants[i].ID+" below", sum*program.Buckets/total))
	}
	m.trace.Note(a)
}

// traceRest notes what a chain waits for, and until when.
func (m *Machine) traceRest(p *program.Program, ch *customer.Chain) {
	m.trace.Note(m.explainWait(p, ch))
}

func (m *Machine) explainWait(p *program.Program, ch *customer.Chain) trace.RuleResult {
	a := trace.Row(p, ch, trace.RuleRest, trace.Note)
	s, at := p.Step(ch.Step)
	if s == nil {
		a.About = "a step that is no more"
		return a
	}
	a.About = s.Verb.Word()
	switch v := s.Verb.(type) {
	case *program.Wait:
		for i := range v.For {
			a.Facts = append(a.Facts, trace.TextFact("for", v.For[i].Text()+", then "+v.For[i].Target(p, at)))
		}
		if v.RestartOn != nil {
			a.Facts = append(a.Facts, trace.TextFact("restarted by", v.RestartOn.Text()),
				trace.NumberFact("restarts", ch.Restarts), trace.NumberFact("at most", v.MaxRestarts))
		}
	case *program.Until:
		loc := m.loadZone(v.Zone)
		if loc == nil {
			loc = m.zone(p)
		}
		a.Facts = append(a.Facts, trace.TextFact("at", clock(v.Minute)), trace.TextFact("zone", loc.String()))
	case *program.Send:
		if ch.Held != nil {
			a.Facts = append(a.Facts, trace.TextFact("held by", string(ch.Held.Reason)),
				trace.TextFact("channels", strings.Join(ch.Held.Open, ", ")))
		}
	case *program.Call:
		a.Facts = append(a.Facts, trace.TextFact("for", "the reply, then "+p.After(at)))
	case *program.Delay,
		*program.Branch,
		*program.Exit,
		*program.SetProfile,
		*program.Emit,
		*program.Start,
		*program.Experiment:
	}
	switch wake := ch.WakeAt(); {
	case m.frozen(ch):
		a.Facts = append(
			a.Facts,
			trace.TextFact("stands still", "the campaign is "+m.set.ByName[ch.Campaign].Status.Word()),
		)
	case wake == customer.Never:
		a.Facts = append(a.Facts, trace.Fact{Name: "until"})
	default:
		a.Facts = append(a.Facts, trace.TimeFact("until", wake))
	}
	a.Facts = append(a.Facts, trace.TextFact("then", p.OnTimer(ch, at)))
	return a
}
