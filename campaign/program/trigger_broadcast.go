package program

import "github.com/nudge-engine/nudge/campaign/expr"

// BroadcastTrigger fires on an event without a customer, such as "Sale Started", for every customer
// for whom the audience holds.
type BroadcastTrigger struct {
	onRecords
	uncounted

	Event    string
	Audience *expr.Expr // over the customer and the event; nil: everybody
}

// Events implements Trigger: none of the customer's own.
func (*BroadcastTrigger) Events() []string { return nil }

func (t *BroadcastTrigger) exprs(add func(*expr.Expr)) { add(t.Audience) }

func (*BroadcastTrigger) where() *expr.Expr { return nil }

// Gives implements Trigger.
func (t *BroadcastTrigger) Gives() Given { return Given{Event: t.Event} }
