package program

import (
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
)

// ChangeTrigger fires when an attribute of the profile changes, for example plan from free to pro.
type ChangeTrigger struct {
	noLevel
	uncounted

	// Path has the names that lead to the attribute below the traits; none: any attribute.
	Path []string
	// From is the value before; nil: any.
	From *Literal
	// To is the value after; nil: any.
	To *Literal
}

// Events implements Trigger.
func (t *ChangeTrigger) Events() []string { return []string{event.IdentifyName} }

func (*ChangeTrigger) exprs(func(*expr.Expr)) {}

func (*ChangeTrigger) where() *expr.Expr { return nil }

// Gives implements Trigger.
func (*ChangeTrigger) Gives() Given {
	return Given{Names: []string{"from", "to", "path"}, What: "a change"}
}

func (*ChangeTrigger) remembers() uint64 { return 0 }

// Newcomers implements Trigger.
func (*ChangeTrigger) Newcomers() func(*expr.IndexBuilder, int) { return nil }

// OnProfile implements Trigger.
func (*ChangeTrigger) OnProfile() bool { return true }

func (*ChangeTrigger) offers() bool { return false }

func (*ChangeTrigger) visits(_, _ *Program, _ bool) bool { return false }
