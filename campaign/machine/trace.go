package machine

import (
	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
)

// Observe lets t note what is asked about its customer from now on; nil ends that.
func (m *Machine) Observe(t *trace.Trace) { m.observer = t }

// recorded begins the occasion of an event.
func (m *Machine) recorded(e *event.Event) {
	what := "event"
	if m.depth > 0 {
		what = "derived event"
	}
	m.trace.Step(trace.Step{At: m.now, What: what, Name: e.Name, ID: e.ID, Time: e.Time})
}

// timed begins the occasion of a timer.
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

// visited begins the occasion of a visit.
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

// quietly evaluates something beside the rules: it writes nothing, and is not traced.
func (m *Machine) quietly(f func()) {
	out, trace := m.out, m.trace
	m.out, m.trace = new(output.Output), nil
	f()
	m.out, m.trace = out, trace
}

// exprFacts completes a row with an expression (nil: none) and what it reads at present.
func (m *Machine) exprFacts(a trace.RuleResult, e *expr.Expr) trace.RuleResult {
	if e == nil {
		return a
	}
	a.Source = e.Source
	parts := m.trace.Apart(e.Source)
	for _, read := range parts.Reads {
		v, missing, err := read.Eval(m.scope)
		f := trace.Fact{Name: read.Source}
		if err == nil && !missing {
			f.Value = trace.FactValue(v)
		}
		a.Facts = append(a.Facts, f)
	}
	if a.Answer == trace.No && len(parts.Tree.Of) > 0 {
		a.Unmet = parts.Tree.Unmet(m.scope, nil)
	}
	return a
}

// traceTrigger notes that a campaign's trigger looks at the current record; tryEnter says
// later whether it fired.
func (m *Machine) traceTrigger(p *program.Program, e *event.Event) {
	a := trace.Row(p, nil, trace.RuleTrigger, trace.No)
	switch t := p.Trigger.(type) {
	case *program.EventTrigger:
		a = m.exprFacts(a, t.Where)
	case *program.CountTrigger:
		n := uint64(0)
		if c := m.c.Counter(customer.CounterID(t.Event, expr.SourceOf(t.Where))); c != nil {
			n = c.Count
		}
		a = m.exprFacts(a, t.Where)
		a.Facts = append(a.Facts, trace.NumberFact("count", n), trace.NumberFact("reaches", t.Reaches))
	case *program.InactivityTrigger:
		a.Answer = trace.Note
		counts := true
		if t.Where != nil {
			counts, _ = t.Where.Holds(m.scope)
		}
		if a = m.exprFacts(a, t.Where); e != nil && counts {
			a.Facts = append(a.Facts, trace.TimeFact("due if none comes", e.Time+t.For))
		}
	case *program.StreakTrigger:
		a = m.exprFacts(a, t.Where)
		a.Facts = append(a.Facts, trace.NumberFact("in the streak before", runningStreak(m.c, p, t)),
			trace.NumberFact("length", t.Length))
	case *program.ThresholdTrigger:
		a = m.exprFacts(a, t.Value)
		a.Facts = append(a.Facts, m.valueBefore(p), trace.FloatFact("at", t.At))
	case *program.SegmentTrigger:
		a = m.exprFacts(a, t.When)
		if m.isInside(t) {
			a.Unmet = nil
		}
		a.Facts = append(a.Facts, trace.TruthFact("before", m.wasInside(p, t)), trace.TruthFact("now", m.isInside(t)))
	case *program.ChangeTrigger:
		var before, after fastjson.Parser
		a.Facts = append(a.Facts, trace.JSONFact("from", atPath(&before, m.lastTraits(), t.Path)),
			trace.JSONFact("to", atPath(&after, m.c.Traits, t.Path)))
	case *program.DateTrigger:
		return // see tracePlanned
	case *program.WebhookTrigger, *program.BroadcastTrigger, *program.ScheduleTrigger:
	}
	m.trace.Note(a)
}

// runningStreak is how many events of a streak follow each other at present.
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

// valueBefore is the value of a threshold before the current record.
func (m *Machine) valueBefore(p *program.Program) trace.Fact {
	if before := m.seenBefore(p); before.known {
		return trace.FloatFact("before", before.value)
	}
	return trace.Fact{Name: "before"}
}

func (m *Machine) wasInside(p *program.Program, t *program.SegmentTrigger) bool {
	if l := m.c.Level(p.Name); l != nil && l.Spec == t.Spec {
		return l.On
	}
	return m.seenBefore(p).value == 1
}

func (m *Machine) isInside(t *program.SegmentTrigger) bool {
	inside, _ := t.When.Holds(m.scope)
	return inside
}

// tracePlanned notes for when a date trigger is armed.
func (m *Machine) tracePlanned(p *program.Program, t *program.DateTrigger) {
	a := m.exprFacts(trace.Row(p, nil, trace.RuleTrigger, trace.Note), t.Path)
	for i := range m.c.Dates {
		if w := &m.c.Dates[i]; w.Campaign == p.Name {
			a.Facts = append(a.Facts, trace.TimeFact("planned", w.Due))
		}
	}
	m.trace.Note(a)
}
