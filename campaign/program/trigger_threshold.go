package program

import "github.com/nudge-engine/nudge/campaign/expr"

// ThresholdTrigger fires when a number crosses a level, not while it stays beyond.
type ThresholdTrigger struct {
	uncounted

	Value      *expr.Expr
	Down       bool
	At         float64
	Hysteresis float64 // how far back it must go before it can cross again
	Spec       uint64
	Clock      expr.ValueClock
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

// Beyond says whether a value is at the level or on the far side of it.
func (t *ThresholdTrigger) Beyond(v float64) bool {
	if t.Down {
		return v <= t.At
	}
	return v >= t.At
}

// Back says whether a value has gone back far enough to cross again.
func (t *ThresholdTrigger) Back(v float64) bool {
	if t.Down {
		return v > expr.Decimal(t.At+t.Hysteresis)
	}
	return v < expr.Decimal(t.At-t.Hysteresis)
}
