package program

import "github.com/nudge-engine/nudge/campaign/expr"

// Delay keeps a chain at the step for a fixed time.
type Delay struct {
	onward
	inward

	// For is the time in ms.
	For int64
	// FromEntry counts from the chain's entry instead of from the arrival at the step, so that "3
	// days after the entry" holds whatever the steps before took; what is over already takes no
	// time.
	FromEntry bool
}

// Word implements Verb.
func (*Delay) Word() string { return "delay" }

func (*Delay) exprs(func(*expr.Expr)) {}

// Timer implements Verb.
func (d *Delay) Timer() Timer {
	if d.FromEntry {
		return Timer{Kind: FromEntry, After: d.For}
	}
	return Timer{Kind: FromStep, After: d.For}
}
