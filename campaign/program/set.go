package program

import "github.com/nudge-engine/nudge/campaign/expr"

// SetProfile changes traits and tags: the verb set.
type SetProfile struct {
	onward
	instant

	Traits []Assign
	Add    []string // tags
	Remove []string
}

// Word implements Verb.
func (*SetProfile) Word() string { return "set" }

func (s *SetProfile) exprs(add func(*expr.Expr)) { assigned(s.Traits, add) }

func (*SetProfile) request() *Send { return nil }

// Makes implements Verb.
func (s *SetProfile) Makes() Made { return Made{Traits: s.Traits} }
