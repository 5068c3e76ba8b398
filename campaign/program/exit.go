package program

import (
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/expr"
)

// Exit ends the chain.
type Exit struct {
	instant
	inward

	// Reason is the author's own word for it, which reports and explanations show.
	Reason string
}

// Word implements Verb.
func (*Exit) Word() string { return "exit" }

func (*Exit) exprs(func(*expr.Expr)) {}

func (*Exit) targets(string) []string { return nil }

func (*Exit) silentTargets(string) []string { return nil }

func (*Exit) onTimer(_ *customer.Chain, next string) string { return next }

func (*Exit) afterFailure() string { return "" }
