package program

import "github.com/nudge-engine/nudge/campaign/expr"

// Delay rests for a while.
type Delay struct {
	onward
	inward

	For       int64 // ms
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
