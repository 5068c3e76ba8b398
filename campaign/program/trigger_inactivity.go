package program

import (
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/expr"
)

// InactivityTrigger fires when a customer has not done the event for a while. Each matching event
// begins the time anew.
type InactivityTrigger struct {
	onRecords

	Event string
	// Where is the condition on the events that count as activity; nil: none.
	Where *expr.Expr
	// For is how long nothing must come, ms.
	For int64
	// FromProfile arms the trigger for customers who never did the event, from
	// the time of their first record.
	FromProfile bool
}

// Events implements Trigger.
func (t *InactivityTrigger) Events() []string { return []string{t.Event} }

func (t *InactivityTrigger) exprs(add func(*expr.Expr)) { add(t.Where) }

func (t *InactivityTrigger) where() *expr.Expr { return t.Where }

// Counter implements Trigger.
func (t *InactivityTrigger) Counter() (event string, where *expr.Expr, ok bool) {
	return t.Event, t.Where, true
}

// Gives implements Trigger.
func (t *InactivityTrigger) Gives() Given { return Given{Event: t.Event} }

// Newcomers implements Trigger: with FromProfile, it looks at customers who never did the event.
func (t *InactivityTrigger) Newcomers() func(b *expr.IndexBuilder, member int) {
	if !t.FromProfile {
		return nil
	}
	return func(b *expr.IndexBuilder, member int) {
		b.Add(member, nil, expr.Counted(customer.CounterID(t.Event, expr.SourceOf(t.Where)), 0))
	}
}

func (*InactivityTrigger) offers() bool { return true }

// visits: a trigger of its kind that was there before has armed its own instants, or they are
// over.
func (*InactivityTrigger) visits(_, before *Program, existing bool) bool {
	armed := false
	if before != nil {
		_, armed = before.Trigger.(*InactivityTrigger)
	}
	return !armed || existing
}
