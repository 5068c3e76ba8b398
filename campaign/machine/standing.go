package machine

import (
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
)

// explainer notes in a trace how things stand with the customer when nothing happens. It decides
// nothing and changes nothing. What happens is noted by the part that decides it.
type explainer struct {
	*turn

	sends    *sends
	chains   *chains
	entries  *entries
	triggers *triggers
}

// ExplainNow notes in t how things stand with a customer at now: of each campaign what an
// entry would be asked, as far as that depends on no event, where its chains stand, what
// they wait for, and what the gates of their next send would say now. A trace of one campaign
// gets that campaign only.
//
// REQUIRES: c is a copy of the caller's own; the machine is used for nothing else.
func (m *Machine) ExplainNow(c *customer.Customer, now int64, t *trace.Trace) {
	m.Observe(t)
	m.begin(c, now, new(output.Output))
	if m.trace == nil {
		return
	}
	m.trace.Step(trace.Step{At: now, What: "now"})
	for _, p := range m.set.Programs {
		if t.Campaign != "" && t.Campaign != p.Name {
			continue
		}
		m.scope.Chain.Chain = nil
		m.scope.Trigger.Set(nil)
		m.explain.standingEntry(p)
		for _, ch := range c.Chains {
			if of := m.set.ProgramOf(ch); ch.Live() && ch.Campaign == p.Name && of != nil {
				m.explain.standingChain(of, ch)
			}
		}
		for i := range c.Pending {
			if c.Pending[i].Delivery.Campaign == p.Name {
				m.explain.standingPending(p, &c.Pending[i])
			}
		}
	}
}

// standingEntry notes what the gates that need no event say about an entry. Re-entry is left out for
// campaigns with a key, which only an event tells; so is an audience that reads the event.
func (ex *explainer) standingEntry(p *program.Program) {
	ex.trace.Note(ex.explainTrigger(p))
	q := ex.entries.entry(p, nil)
	q.at("")
	ex.trace.Mute = true // what the gates would write down is not decided
	ask(openGates, q, true)
	enters := p.Reentry.Key != nil || ask(reentryGates, q, true).reason == output.NoReason
	if p.Audience != nil && !p.Audience.Reads.Record {
		ask(audienceGates, q, true)
	}
	ask(holdoutGates, q, true)
	if enters && p.Policy.Group != "" && !q.refreshes() {
		q.askGroup()
	}
	ex.trace.Mute = false
	waiting := 0
	for i := range ex.c.Queue {
		if ex.c.Queue[i].Campaign == p.Name {
			waiting++
		}
	}
	if waiting > 0 {
		ex.trace.Note(trace.Row(p, nil, trace.RuleStatus, trace.Note, trace.NumberFact("entries that wait", waiting)))
	}
}

// standingPending notes a delivery whose result is not known yet, with its attempts.
func (ex *explainer) standingPending(p *program.Program, at *customer.Pending) {
	d := &at.Delivery
	a := trace.Row(
		p,
		nil,
		trace.RulePending,
		trace.Note,
		trace.NumberFact("attempt", d.Attempt),
		trace.TimeFact("handed off", d.At),
		trace.TimeFact("next attempt", at.RetryAt),
		trace.TimeFact("expires", d.Expires),
	)
	a.Version, a.Key, a.Entry, a.Step, a.Channel = d.Version, d.Key, d.Entry, d.Step, d.Channel
	ex.trace.Note(a)
}

// explainTrigger returns a row that says what a campaign's trigger waits for, and how far it is.
func (ex *explainer) explainTrigger(p *program.Program) trace.RuleResult {
	a := trace.Row(p, nil, trace.RuleTrigger, trace.Note)
	switch t := p.Trigger.(type) {
	case *program.EventTrigger:
		a.About, a.Source = "event "+t.Name, expr.SourceOf(t.Where)
	case *program.CountTrigger:
		a.About, a.Source = "count of "+t.Event, expr.SourceOf(t.Where)
		n := uint64(0)
		if c := ex.c.Counter(customer.CounterID(t.Event, a.Source)); c != nil {
			n = c.Count
		}
		a.Facts = append(a.Facts, trace.NumberFact("count", n), trace.NumberFact("reaches", t.Reaches))
	case *program.InactivityTrigger:
		a.About, a.Source = "inactivity of "+t.Event, expr.SourceOf(t.Where)
		if i, found := ex.c.Watch(p.Name); found {
			a.Facts = append(a.Facts, trace.TimeFact("due", ex.c.Watches[i].Due))
		}
	case *program.StreakTrigger:
		a.About, a.Source = "streak of "+t.Event, expr.SourceOf(t.Where)
		a.Facts = append(
			a.Facts,
			trace.NumberFact("in the streak", runningStreak(ex.c, p, t)),
			trace.NumberFact("length", t.Length),
		)
	case *program.ThresholdTrigger:
		a.About = "threshold"
		a = ex.exprFacts(a, t.Value)
		a = ex.levelFacts(a, p)
	case *program.SegmentTrigger:
		a.About = "segment"
		a = ex.exprFacts(a, t.When)
		a.Facts = append(a.Facts, trace.TruthFact("inside", ex.triggers.isInside(t)))
		a = ex.levelFacts(a, p)
	case *program.DateTrigger:
		a.About = "date"
		a = ex.exprFacts(a, t.Path)
		for i := range ex.c.Dates {
			if w := &ex.c.Dates[i]; w.Campaign == p.Name && w.Due != 0 {
				a.Facts = append(a.Facts, trace.TimeFact("due", w.Due))
			}
		}
	case *program.ChangeTrigger:
		a.About = "change of the profile"
	case *program.WebhookTrigger:
		a.About = "webhook"
	case *program.BroadcastTrigger:
		a.About, a.Source = "broadcast "+t.Event, expr.SourceOf(t.Audience)
	case *program.ScheduleTrigger:
		a.About = "schedule " + t.Text
	}
	return a
}

// levelFacts adds when the value of a trigger may change without a record.
func (ex *explainer) levelFacts(a trace.RuleResult, p *program.Program) trace.RuleResult {
	if l := ex.c.Level(p.Name); l != nil && l.Due != 0 {
		a.Facts = append(a.Facts, trace.TimeFact("may change at", l.Due))
	}
	return a
}

// standingChain notes where a live chain stands, and what the gates say now about the send to which
// it comes by its timer. A chain that comes to something else first has no send to explain.
func (ex *explainer) standingChain(p *program.Program, ch *customer.Chain) {
	ex.look(ch)
	ex.trace.Note(ex.chains.explainWait(p, ch))
	at := p.NextSend(ch)
	if at < 0 {
		return
	}
	s, ok := p.Steps[at].Verb.(*program.Send)
	if !ok {
		return
	}
	t := &pendingSend{
		chain: ch, program: p, step: at, planned: ex.now, exempt: p.Category(s) == program.Transactional,
		priority: p.Policy.Priority,
	}
	var msg *message
	ex.out.quietly(func() { msg = ex.sends.message(p, p.Steps[at].ID, s, ch) })
	ex.trace.Mute = true // what the gates would write down is not decided
	for _, channel := range undecided(ch, s) {
		ex.sends.checkSend(t, s, channel, msg)
	}
	ex.trace.Mute = false
}
