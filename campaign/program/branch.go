package program

import (
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/expr"
)

// Branch goes to the first arm that holds, else to the next step.
type Branch struct {
	instant
	inward

	Arms []Arm
}

// Arm is one way of a branch; When nil holds always.
type Arm struct {
	When *expr.Expr
	Goto string
}

// Word implements Verb.
func (*Branch) Word() string { return "branch" }

func (b *Branch) exprs(add func(*expr.Expr)) {
	for i := range b.Arms {
		add(b.Arms[i].When)
	}
}

func (b *Branch) targets(next string) []string {
	var all []string
	for i := range b.Arms {
		all = append(all, b.Arms[i].Goto)
	}
	if len(b.Arms) > 0 && b.Arms[len(b.Arms)-1].When == nil {
		return all
	}
	return append(all, next)
}

func (b *Branch) silentTargets(next string) []string { return b.targets(next) }

func (*Branch) onTimer(_ *customer.Chain, next string) string { return next }

func (*Branch) afterFailure() string { return "" }
