package program

import "github.com/nudge-engine/nudge/campaign/expr"

// EventTrigger fires on each matching event.
type EventTrigger struct {
	onRecords
	uncounted

	Name string
	// Where is the condition on the event and the customer; nil: none.
	Where *expr.Expr
}

// Events implements Trigger.
func (t *EventTrigger) Events() []string { return []string{t.Name} }

func (t *EventTrigger) exprs(add func(*expr.Expr)) { add(t.Where) }

func (t *EventTrigger) where() *expr.Expr { return t.Where }

// Gives implements Trigger.
func (t *EventTrigger) Gives() Given { return Given{Event: t.Name} }
