package program

import "github.com/nudge-engine/nudge/campaign/expr"

// BroadcastTrigger fires for every customer for whom the audience holds, on an event
// that has no customer.
type BroadcastTrigger struct {
	onRecords
	uncounted

	Event    string
	Audience *expr.Expr // over the customer and the event; nil: everybody
}

// Events implements Trigger.
func (*BroadcastTrigger) Events() []string { return nil }

func (t *BroadcastTrigger) exprs(add func(*expr.Expr)) { add(t.Audience) }

func (*BroadcastTrigger) where() *expr.Expr { return nil }

// Gives implements Trigger.
func (t *BroadcastTrigger) Gives() Given { return Given{Event: t.Event} }
