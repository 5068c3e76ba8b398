package machine

import (
	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/jsonvalue"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
	"github.com/nudge-engine/nudge/internal/clip"
)

// turn is what every part sees of the input being applied to one customer: a record, the timers
// that are due, a bulk task, the result of a delivery, a merge. Machine.begin starts it. Parts
// change the customer through it and write what they decide to out; they change planned, late and
// cause only as they go from one timer of the customer to the next.
type turn struct {
	// set has the campaigns in force.
	set *active.Set
	// scope is what expressions read.
	scope *expr.Scope
	out   *rows

	c   *customer.Customer
	now int64 // log time, ms
	// came is the log time (ms) at which the current record or broadcast came, mostly now: a
	// broadcast reaches some customers later, and its age must not depend on that.
	came int64
	// eventID is the id of the current record, empty for a timer.
	eventID string
	// recording says that the current record will be remembered, and is not yet.
	recording bool
	// depth is 0 for a record of the log or a timer, and one more for what steps emitted at each
	// level.
	depth int
	// asOf is the instant (ms) as of which triggers are armed, mostly now: the activation of a
	// campaign for a customer who is visited later.
	asOf int64

	// planned is when the current timer was due, ms; 0 for a record.
	planned int64
	// late says that the current timer is more than lateAfter late.
	late bool
	// cause numbers the current timer, for the order of rows.
	cause cause
	// fired counts the causes of the input so far: timers, and candidates that waited for a send.
	fired int
	// changed is the step that last changed the profile.
	changed occasion

	// observer is told why things happen; nil: nobody asks.
	observer *trace.Trace
	// trace is the observer while its customer is being applied, else nil.
	trace *trace.Trace
	// unindexed says that nothing is left out by an index: tests compare with it.
	unindexed bool
}

// begin takes up a customer at now and forgets everything of the input before.
func (t *turn) begin(c *customer.Customer, now int64) {
	t.c, t.now, t.came, t.eventID, t.recording, t.asOf = c, now, now, "", false, now
	t.planned, t.late, t.cause, t.changed = 0, false, 0, occasion{}
	t.fired = 0
	t.scope.Now = now
	t.scope.Event.Set(nil)
	t.scope.Trigger.Set(nil)
	t.scope.Customer.Set(c)
	t.scope.Chain.Chain = nil
	t.trace = t.observer.Of(c)
}

// occasion is when and how late a step ran.
type occasion struct {
	planned int64 // when the step was due, ms; 0: now
	late    bool  // it ran more than lateAfter later
}

// holds evaluates a predicate in the scope; an error is recorded and counts as false (L6).
func (t *turn) holds(e *expr.Expr, campaign string) bool {
	ok, err := e.Holds(t.scope)
	if err != nil {
		t.out.evaluationFailed(campaign, err)
	}
	return ok
}

// object evaluates assignments as a JSON object, in the order given. A value that is
// missing is left out; so is one that fails, which is recorded for chain ch.
func (t *turn) object(assigns []program.Assign, ch *customer.Chain) []byte {
	b := []byte{'{'}
	for i := range assigns {
		a := &assigns[i]
		value := a.Literal
		if a.Expr != nil {
			v, missing, err := a.Expr.Eval(t.scope)
			if missing {
				continue
			}
			ok := err == nil
			if ok {
				// A value that JSON cannot say, such as a duration, counts as failed.
				value, ok = expr.AppendValue(nil, v, 0)
			}
			if !ok {
				detail := "no JSON value: " + a.Expr.Source
				if err != nil {
					detail = err.Error()
				}
				t.out.decideChain(ch, output.Erred, output.ReasonEvaluation, ch.Step, clip.Text(detail, 200))
				continue
			}
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(append(jsonvalue.AppendString(b, a.Name), ':'), value...)
	}
	return append(b, '}')
}

// identifier evaluates an expression as the text of a key; ok is false when it yields no
// scalar, or fails. Numbers keep their digits as the client wrote them.
func (t *turn) identifier(e *expr.Expr) (key string, ok bool) {
	if len(e.Path) > 0 { // as it was written: CEL has no numbers of twenty digits
		if v := t.scope.ValueAt(e.Path); v != nil {
			return jsonvalue.Text(v)
		}
	}
	v, _, err := e.Eval(t.scope)
	if err != nil || v == nil {
		return "", false
	}
	return expr.KeyFromValue(v)
}

// look points the scope at a chain and its trigger event, which is decoded for that.
func (t *turn) look(ch *customer.Chain) {
	t.scope.Chain.Chain = ch
	t.scope.Trigger.Set(event.DecodeBody(ch.Trigger))
}

// exprFacts adds an expression (nil: none) and what it reads at present to a row; where the answer is no,
// also the parts of it that do not hold.
func (t *turn) exprFacts(a trace.RuleResult, e *expr.Expr) trace.RuleResult {
	if e == nil {
		return a
	}
	a.Source = e.Source
	parts := t.trace.Apart(e.Source)
	for _, read := range parts.Reads {
		v, missing, err := read.Eval(t.scope)
		f := trace.Fact{Name: read.Source}
		if err == nil && !missing {
			f.Value = trace.FactValue(v)
		}
		a.Facts = append(a.Facts, f)
	}
	if a.Answer == trace.No && len(parts.Tree.Of) > 0 {
		a.Unmet = parts.Tree.Unmet(t.scope, nil)
	}
	return a
}
