package machine

import (
	"strconv"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
)

// explainer notes in a trace how things stand with a customer when nothing happens: the present, as
// nudge explain shows it. It decides nothing and changes nothing. What happens is noted by the part
// that decides it.
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
	// begin keeps a trace only for the customer that it observes.
	if m.trace == nil {
		return
	}
	m.trace.Step(trace.Step{At: now, What: "now"})
	for _, p := range m.set.Programs {
		if t.Campaign != "" && t.Campaign != p.Name {
			continue
		}
		// An entry has no chain and no trigger event yet.
		m.scope.Chain.Chain = nil
		m.scope.Trigger.Set(nil)
		m.explain.standingEntry(p)
		for _, ch := range c.Chains {
			// Chains of a version that is kept are explained by that version.
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

// standingEntry notes what the gates that need no event say about an entry. Left out are re-entry
// for campaigns with a key, which only an event tells, and an audience that reads the event.
func (ex *explainer) standingEntry(p *program.Program) {
	ex.trace.Note(ex.explainTrigger(p))
	q := ex.entries.entry(p, nil)
	q.at("")
	ex.trace.Mute = true // what the gates would write down is not decided
	ask(openGates, q, true)
	// With a key this cannot be said; the group is asked as if re-entry were allowed.
	enters := p.Reentry.Key != nil || ask(reentryGates, q, true).reason == output.NoReason
	if p.Audience != nil && !p.Audience.Reads.Record {
		ask(audienceGates, q, true)
	}
	ask(holdoutGates, q, true)
	// A refresh changes the chain that is there, and asks no group.
	if enters && p.Policy.Group != "" && !q.refreshes() {
		q.askGroup()
	}
	ex.trace.Mute = false
	// Entries kept during a pause enter later without another event.
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

// explainTrigger returns a row that says what a campaign's trigger waits for, and how far it is:
// the count reached, the length of the streak, the instant at which a silence is long enough.
func (ex *explainer) explainTrigger(p *program.Program) trace.RuleResult {
	a := trace.Row(p, nil, trace.RuleTrigger, trace.Note)
	switch t := p.Trigger.(type) {
	case *program.EventTrigger:
		a.About, a.Source = "event "+t.Name, expr.SourceOf(t.Where)
	case *program.CountTrigger:
		a.About, a.Source = "count of "+t.Event, expr.SourceOf(t.Where)
		// A customer who never did the event has no counter; the count is 0 then.
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
	// Nothing is known beforehand of these: they fire by what comes.
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

// levelFacts adds to a row when the value of a trigger may change without a record.
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
	// The chain is taken to be at the send already, in time.
	t := &pendingSend{
		chain: ch, program: p, step: at, planned: ex.now, exempt: p.Category(s) == program.Transactional,
		priority: p.Policy.Priority,
	}
	var msg *message
	// An expression that fails would write a decision.
	ex.out.quietly(func() { msg = ex.sends.message(p, p.Steps[at].ID, s, ch) })
	ex.trace.Mute = true // what the gates would write down is not decided
	for _, channel := range undecided(ch, s) {
		ex.sends.checkSend(t, s, channel, msg)
	}
	ex.trace.Mute = false
}

// recorded begins a step of the trace for an event. What follows is noted under it. An event at
// depth 0 came from outside; deeper ones were emitted by steps.
func (m *Machine) recorded(e *event.Event) {
	what := "event"
	if m.depth > 0 {
		what = "derived event"
	}
	m.trace.Step(trace.Step{At: m.now, What: what, Name: e.Name, ID: e.ID, Time: e.Time})
}

// timed begins a step of the trace for a timer that fires, named after what it belongs to:
// CAMPAIGN/STEP for a chain.
func (m *Machine) timed(t *timer) {
	o := trace.Step{At: m.now, What: "timer", Due: m.planned}
	switch {
	case t.chain != nil:
		o.Name = t.chain.Campaign + "/" + t.chain.Step
	case t.watch != "":
		o.Name = "inactivity of " + t.watch
	case t.date > 0:
		o.Name = "date of " + t.campaign
	case t.level:
		o.Name = "value of " + t.campaign
	default:
		d := &m.c.Pending[t.pending].Delivery
		o.Name = "delivery of " + d.Campaign + "/" + d.Step
	}
	m.trace.Step(o)
}

// visited begins a step of the trace for a task that concerns all customers.
func (m *Machine) visited(v *active.BulkTask) {
	o := trace.Step{At: m.now, Due: v.Due}
	switch v.Kind {
	case active.BulkBroadcast:
		o.What, o.Name, o.ID, o.Time = "broadcast", v.Event.Name, v.Event.ID, v.Event.Time
	case active.BulkSchedule:
		o.What = "schedule"
	case active.BulkActivation:
		o.What = "activation"
	case active.BulkForget:
		o.What = "counters that are kept no more"
	}
	m.trace.Step(o)
}

// explainBefore notes, for each matcher that names it, that an event happened before the chain
// began, and so does nothing to the chain. Reversals are left out: they compare with the conversion
// instead.
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

// explainBranch notes the arms of a branch up to the one that is taken; those after it are not
// evaluated. A condition that fails with an error does not hold, as when the branch decides.
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

// explainWait returns the row that explainRest notes: the kind of step, what would end the rest,
// and the instant and the step to which the timer leads.
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
	// The zone is shown because the same time of day is another instant elsewhere.
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
	// A chain rests at a delay by its timer alone, which is noted below; at the others it does not
	// rest.
	case *program.Delay,
		*program.Branch,
		*program.Exit,
		*program.SetProfile,
		*program.Emit,
		*program.Start,
		*program.Experiment:
	}
	switch wake := ch.WakeAt(); {
	// A paused chain has an instant too, but it does not count.
	case cs.frozen(ch):
		a.Facts = append(
			a.Facts,
			trace.TextFact("stands still", "the campaign is "+cs.set.ByName[ch.Campaign].Status.Word()),
		)
	// A fact without a value reads as: not before something happens.
	case wake == customer.Never:
		a.Facts = append(a.Facts, trace.Fact{Name: "until"})
	default:
		a.Facts = append(a.Facts, trace.TimeFact("until", wake))
	}
	a.Facts = append(a.Facts, trace.TextFact("then", p.OnTimer(ch, at)))
	return a
}

// runningStreak returns how many events of a streak follow each other at present, by the rules of
// customer.Streak: a break, or a gap longer than MaxGap, starts it anew. With MaxGap 1h and events
// at 9:00, 9:30 and 11:00 it is 1.
func runningStreak(c *customer.Customer, p *program.Program, t *program.StreakTrigger) (run int) {
	for i := range c.Streaks {
		if s := &c.Streaks[i]; s.Campaign == p.Name && s.Spec == t.Spec {
			for j, mark := range s.Marks {
				switch {
				case mark.Break:
					run = 0
				case run > 0 && t.MaxGap > 0 && mark.Time-s.Marks[j-1].Time > t.MaxGap:
					run = 1
				default:
					run++
				}
			}
		}
	}
	return run
}

// explain notes that a campaign's trigger looks at the current record and what it compares. The answer
// is no until the trace learns (Fires) that the trigger fired.
func (ts *triggers) explain(p *program.Program, e *event.Event) {
	a := trace.Row(p, nil, trace.RuleTrigger, trace.No)
	switch t := p.Trigger.(type) {
	case *program.EventTrigger:
		a = ts.exprFacts(a, t.Where)
	case *program.CountTrigger:
		n := uint64(0)
		if c := ts.c.Counter(customer.CounterID(t.Event, expr.SourceOf(t.Where))); c != nil {
			n = c.Count
		}
		a = ts.exprFacts(a, t.Where)
		a.Facts = append(a.Facts, trace.NumberFact("count", n), trace.NumberFact("reaches", t.Reaches))
	// It never fires at an event; an event that counts moves its instant.
	case *program.InactivityTrigger:
		a.Answer = trace.Note
		counts := true
		if t.Where != nil {
			counts, _ = t.Where.Holds(ts.scope)
		}
		if a = ts.exprFacts(a, t.Where); e != nil && counts {
			a.Facts = append(a.Facts, trace.TimeFact("due if none comes", e.Time+t.For))
		}
	case *program.StreakTrigger:
		a = ts.exprFacts(a, t.Where)
		a.Facts = append(a.Facts, trace.NumberFact("in the streak before", runningStreak(ts.c, p, t)),
			trace.NumberFact("length", t.Length))
	case *program.ThresholdTrigger:
		a = ts.exprFacts(a, t.Value)
		a.Facts = append(a.Facts, ts.valueBefore(p), trace.FloatFact("at", t.At))
	case *program.SegmentTrigger:
		a = ts.exprFacts(a, t.When)
		// The parts that do not hold are of no interest when the whole does.
		if ts.isInside(t) {
			a.Unmet = nil
		}
		a.Facts = append(a.Facts, trace.TruthFact("before", ts.wasInside(p, t)), trace.TruthFact("now", ts.isInside(t)))
	case *program.ChangeTrigger:
		var before, after fastjson.Parser
		a.Facts = append(a.Facts, trace.JSONFact("from", atPath(&before, ts.lastTraits(), t.Path)),
			trace.JSONFact("to", atPath(&after, ts.c.Traits, t.Path)))
	case *program.DateTrigger:
		return // see explainPlanned
	case *program.WebhookTrigger, *program.BroadcastTrigger, *program.ScheduleTrigger:
	}
	ts.trace.Note(a)
}

// valueBefore returns the value of a threshold before the current record, as a fact without a value
// when it is not known.
func (ts *triggers) valueBefore(p *program.Program) trace.Fact {
	if before := ts.seenBefore(p); before.known {
		return trace.FloatFact("before", before.value)
	}
	return trace.Fact{Name: "before"}
}

// wasInside reports whether the customer was in the segment before the current record: by the
// remembered side if the trigger remembers one (under the same Spec), else by the value that was
// seen before the record.
func (ts *triggers) wasInside(p *program.Program, t *program.SegmentTrigger) bool {
	if l := ts.c.Level(p.Name); l != nil && l.Spec == t.Spec {
		return l.On
	}
	return ts.seenBefore(p).value == 1
}

// isInside reports whether the customer is in the segment now; a failing condition holds for nobody.
func (ts *triggers) isInside(t *program.SegmentTrigger) bool {
	inside, _ := t.When.Holds(ts.scope)
	return inside
}
