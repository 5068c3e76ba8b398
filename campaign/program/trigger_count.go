package program

import "github.com/nudge-engine/nudge/campaign/expr"

// CountTrigger fires when the customer's N-th matching event arrives.
type CountTrigger struct {
	onRecords

	Event   string
	Where   *expr.Expr
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

// offers: it asks for nobody who is there, but enters who was counted before it was.
func (*CountTrigger) offers() bool { return true }
