package program

import "github.com/nudge-engine/nudge/campaign/expr"

// StreakTrigger fires when matching events follow each other without a break; then
// the count starts anew.
type StreakTrigger struct {
	onRecords
	uncounted

	Event   string
	Where   *expr.Expr
	Length  int
	MaxGap  int64 // ms between two events of a streak, inclusive; 0: any
	BreakOn *Matcher
	Spec    uint64
}

// Events implements Trigger.
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
