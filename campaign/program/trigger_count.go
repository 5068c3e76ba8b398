package program

import "github.com/nudge-engine/nudge/campaign/expr"

// CountTrigger fires when the customer's N-th matching event arrives, and at no other.
type CountTrigger struct {
	onRecords

	Event string
	// Where is the condition on the events that count; nil: none.
	Where *expr.Expr
	// Reaches is N, at least 1.
	Reaches uint64
}

// Events implements Trigger.
func (t *CountTrigger) Events() []string { return []string{t.Event} }

func (t *CountTrigger) exprs(add func(*expr.Expr)) { add(t.Where) }

func (t *CountTrigger) where() *expr.Expr { return t.Where }

// Counter implements Trigger.
func (t *CountTrigger) Counter() (event string, where *expr.Expr, ok bool) {
	return t.Event, t.Where, true
}

// Gives implements Trigger.
func (t *CountTrigger) Gives() Given { return Given{Event: t.Event} }

// offers: with "existing: include", customers enter who reached the number before the campaign
// was there.
func (*CountTrigger) offers() bool { return true }
