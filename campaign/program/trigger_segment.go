package program

import "github.com/nudge-engine/nudge/campaign/expr"

// SegmentTrigger fires when a predicate over the customer becomes true: the customer enters the
// segment.
type SegmentTrigger struct {
	uncounted

	When *expr.Expr
	// OnLeave fires when it becomes false instead.
	OnLeave bool
	// Spec is a hash of the predicate: two versions with the same one watch the same segment.
	Spec uint64
	// Clock says when the predicate can change with time alone.
	Clock expr.ValueClock
}

// Events implements Trigger.
func (t *SegmentTrigger) Events() []string { return t.When.ChangedBy() }

func (t *SegmentTrigger) exprs(add func(*expr.Expr)) { add(t.When) }

func (*SegmentTrigger) where() *expr.Expr { return nil }

// Gives implements Trigger: a timer can fire it too, without an event.
func (*SegmentTrigger) Gives() Given { return Given{} }

func (t *SegmentTrigger) level() LevelTrigger { return t }

func (t *SegmentTrigger) value() *expr.Expr { return t.When }

func (t *SegmentTrigger) spec() uint64 { return t.Spec }

func (t *SegmentTrigger) clock() *expr.ValueClock { return &t.Clock }

// remembers returns the hash of a segment whose answer is stored with each customer, and 0 where
// nothing is stored: where only records change the answer, it is computed before each record.
func (t *SegmentTrigger) remembers() uint64 {
	if changes(&t.Clock) {
		return t.Spec
	}
	return 0
}

// Newcomers implements Trigger.
func (*SegmentTrigger) Newcomers() func(*expr.IndexBuilder, int) { return nil }

// OnProfile implements Trigger.
func (*SegmentTrigger) OnProfile() bool { return true }

func (*SegmentTrigger) offers() bool { return true }

func (*SegmentTrigger) visits(p, before *Program, existing bool) bool {
	return visitsLevel(p, before, existing)
}
