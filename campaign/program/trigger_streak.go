package program

import "github.com/nudge-engine/nudge/campaign/expr"

// StreakTrigger fires when a number of matching events follow each other without a break; then the
// count begins anew.
type StreakTrigger struct {
	onRecords
	uncounted

	Event string
	// Where is the condition on the events that count; nil: none.
	Where *expr.Expr
	// Length is how many events make a streak.
	Length int
	// MaxGap is the longest time between two events of a streak, ms, inclusive; 0: any.
	MaxGap int64
	// BreakOn is an event that ends a streak; nil: none does.
	BreakOn *Matcher
	// Spec is a hash of the events and their conditions: what was counted under another spec is
	// forgotten.
	Spec uint64
}

// Events implements Trigger: those that count and those that break.
func (t *StreakTrigger) Events() []string {
	names := []string{t.Event}
	if t.BreakOn != nil && t.BreakOn.Event != t.Event {
		names = append(names, t.BreakOn.Event)
	}
	return names
}

func (t *StreakTrigger) exprs(add func(*expr.Expr)) {
	if add(t.Where); t.BreakOn != nil {
		add(t.BreakOn.Where)
	}
}

func (t *StreakTrigger) where() *expr.Expr { return t.Where }

// Gives implements Trigger.
func (t *StreakTrigger) Gives() Given { return Given{Event: t.Event} }

func (t *StreakTrigger) remembers() uint64 { return t.Spec }
