package program

import "github.com/nudge-engine/nudge/campaign/expr"

// SetProfile changes the customer's traits and tags; it is the verb "set".
type SetProfile struct {
	onward
	instant

	// Traits are assigned in order; null removes a trait.
	Traits []Assign
	// Add and Remove are tags.
	Add    []string
	Remove []string
}

// Word implements Verb.
func (*SetProfile) Word() string { return "set" }

func (s *SetProfile) exprs(add func(*expr.Expr)) { assigned(s.Traits, add) }

func (*SetProfile) request() *Send { return nil }

// Makes implements Verb.
func (s *SetProfile) Makes() Made { return Made{Traits: s.Traits} }
