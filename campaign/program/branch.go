package program

import (
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/expr"
)

// Branch sends a chain to the first arm whose condition holds, and to the next step if none does.
type Branch struct {
	instant
	inward

	Arms []Arm
}

// Arm is one way of a branch.
type Arm struct {
	// When is a predicate over the customer, the chain and its trigger event; nil holds always, and
	// only the last arm may have none.
	When *expr.Expr
	// Goto is the id of the step it leads to, or EndStep.
	Goto string
}

// Word implements Verb.
func (*Branch) Word() string { return "branch" }

func (b *Branch) exprs(add func(*expr.Expr)) {
	for i := range b.Arms {
		add(b.Arms[i].When)
	}
}

// targets returns where the arms lead, and the next step unless the last arm takes everybody.
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

// silentTargets are all targets: which arm holds does not depend on a reaction.
func (b *Branch) silentTargets(next string) []string { return b.targets(next) }

func (*Branch) onTimer(_ *customer.Chain, next string) string { return next }

func (*Branch) afterFailure() string { return "" }
