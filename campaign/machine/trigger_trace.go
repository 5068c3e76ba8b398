package machine

import (
	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
)

// runningStreak returns how many events of a streak follow each other at present, by the rules of
// customer.Streak: a break, or a gap longer than MaxGap, starts it anew.
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
		if ts.isInside(t) {
			a.Unmet = nil
		}
		a.Facts = append(a.Facts, trace.TruthFact("before", ts.wasInside(p, t)), trace.TruthFact("now", ts.isInside(t)))
	case *program.ChangeTrigger:
		var before, after fastjson.Parser
		a.Facts = append(a.Facts, trace.JSONFact("from", atPath(&before, ts.lastTraits(), t.Path)),
			trace.JSONFact("to", atPath(&after, ts.c.Traits, t.Path)))
	case *program.DateTrigger:
		return // see tracePlanned
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

// wasInside reports whether the customer was in the segment before the current record.
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
