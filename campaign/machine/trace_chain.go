package machine

import (
	"strconv"
	"strings"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
)

// explainBefore notes, for each matcher that names it, that an event happened before the chain began.
// Reversals are left out: they compare with the conversion instead.
func (cs *chains) explainBefore(p *program.Program, ch *customer.Chain, e *event.Event) {
	for _, match := range p.Matchers() {
		if match.Event != e.Name {
			continue
		}
		a := trace.Row(p, ch, "", trace.No, trace.TimeFact("event time", e.Time),
			trace.TimeFact("the chain began", ch.Start(cs.scope.Trigger.Event)))
		if a.Rule, a.About = roleOf(p, match); a.Rule != trace.RuleReverse {
			cs.trace.Note(a)
		}
	}
}

// explainBranch notes the arms of a branch up to the one that is taken.
func (cs *chains) explainBranch(b *program.Branch, ch *customer.Chain) {
	p := cs.set.ProgramOf(ch)
	for i := range b.Arms {
		arm := &b.Arms[i]
		holds := arm.When == nil
		if !holds {
			holds, _ = arm.When.Holds(cs.scope)
		}
		a := trace.Row(p, ch, trace.RuleBranch, trace.AnswerOf(holds))
		a.About = "arm " + strconv.Itoa(i+1) + ": " + arm.Goto
		cs.trace.Note(cs.exprFacts(a, arm.When))
		if holds {
			return
		}
	}
}

// explainRest notes what a chain waits for, until when, and where it goes then.
func (cs *chains) explainRest(p *program.Program, ch *customer.Chain) {
	cs.trace.Note(cs.explainWait(p, ch))
}

// explainWait returns the row that explainRest notes.
func (cs *chains) explainWait(p *program.Program, ch *customer.Chain) trace.RuleResult {
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
		loc := cs.zones.loadZone(v.Zone)
		if loc == nil {
			loc = cs.zones.zone(p)
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
	case cs.frozen(ch):
		a.Facts = append(
			a.Facts,
			trace.TextFact("stands still", "the campaign is "+cs.set.ByName[ch.Campaign].Status.Word()),
		)
	case wake == customer.Never:
		a.Facts = append(a.Facts, trace.Fact{Name: "until"})
	default:
		a.Facts = append(a.Facts, trace.TimeFact("until", wake))
	}
	a.Facts = append(a.Facts, trace.TextFact("then", p.OnTimer(ch, at)))
	return a
}
