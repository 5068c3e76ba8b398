package program

import "github.com/nudge-engine/nudge/campaign/expr"

// ThresholdTrigger fires when a number crosses a limit, and not while it stays beyond it.
type ThresholdTrigger struct {
	uncounted

	// Value is the expression of the number, over the customer.
	Value *expr.Expr
	// Down fires when the value falls to At or below; otherwise when it rises to At or above.
	Down bool
	At   float64
	// Hysteresis is how far the value must go back before it can cross again, at least 0: a value
	// that moves to and fro around the limit fires once.
	Hysteresis float64
	// Spec is a hash of all of it: what was remembered under another spec is forgotten.
	Spec uint64
	// Clock says when the value can change with time alone.
	Clock expr.ValueClock
}

// Events implements Trigger.
func (t *ThresholdTrigger) Events() []string { return t.Value.ChangedBy() }

func (t *ThresholdTrigger) exprs(add func(*expr.Expr)) { add(t.Value) }

func (*ThresholdTrigger) where() *expr.Expr { return nil }

// Gives implements Trigger: a timer can fire it too, without an event.
func (*ThresholdTrigger) Gives() Given { return Given{} }

func (t *ThresholdTrigger) level() LevelTrigger { return t }

func (t *ThresholdTrigger) value() *expr.Expr { return t.Value }

func (t *ThresholdTrigger) spec() uint64 { return t.Spec }

func (t *ThresholdTrigger) clock() *expr.ValueClock { return &t.Clock }

func (t *ThresholdTrigger) remembers() uint64 { return t.Spec }

// Newcomers implements Trigger.
func (*ThresholdTrigger) Newcomers() func(*expr.IndexBuilder, int) { return nil }

// OnProfile implements Trigger.
func (*ThresholdTrigger) OnProfile() bool { return true }

func (*ThresholdTrigger) offers() bool { return true }

func (*ThresholdTrigger) visits(p, before *Program, existing bool) bool {
	return visitsLevel(p, before, existing)
}

// Beyond reports whether a value is at the limit or on its far side.
func (t *ThresholdTrigger) Beyond(v float64) bool {
	if t.Down {
		return v <= t.At
	}
	return v >= t.At
}

// Back reports whether a value has gone back far enough to cross again: with At 100 and Hysteresis
// 10, below 90. Decimal keeps 0.3 - 0.1 from being 0.19999999999999998.
func (t *ThresholdTrigger) Back(v float64) bool {
	if t.Down {
		return v > expr.Decimal(t.At+t.Hysteresis)
	}
	return v < expr.Decimal(t.At-t.Hysteresis)
}
