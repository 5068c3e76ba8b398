package program

import "github.com/nudge-engine/nudge/campaign/expr"

// Start starts a chain of another campaign for the customer, after the current record. That
// campaign's audience and re-entry rule hold as for any entry.
type Start struct {
	onward
	instant

	Campaign string
}

// Word implements Verb.
func (*Start) Word() string { return "start" }

func (*Start) exprs(func(*expr.Expr)) {}

func (*Start) request() *Send { return nil }

// Makes implements Verb.
func (s *Start) Makes() Made { return Made{Campaign: s.Campaign} }
