package program

import "github.com/nudge-engine/nudge/campaign/expr"

// Goal returns the goal with the id, nil when there is none.
func (p *Program) Goal(id string) *Goal {
	for i := range p.Goals {
		if p.Goals[i].ID == id {
			return &p.Goals[i]
		}
	}
	return nil
}

// primary returns the goal by which the campaign is measured first: the one that says so, else the
// first; nil without goals.
func (p *Program) primary() *Goal {
	for i := range p.Goals {
		if p.Goals[i].Primary {
			return &p.Goals[i]
		}
	}
	if len(p.Goals) > 0 {
		return &p.Goals[0]
	}
	return nil
}

// Goal is a conversion that a campaign aims at: an event within a window after the entry.
type Goal struct {
	ID    string
	Match Matcher
	// Window is how long after the entry an event counts, ms, inclusive; 0: while the chain lives.
	Window int64
	// FromDelivery counts the window from the last delivery instead of the entry.
	FromDelivery bool
	// Value and Currency are expressions over the event of the conversion; nil: it has no value.
	Value    *expr.Expr
	Currency *expr.Expr
	// Stop ends the chain when the goal is reached.
	Stop bool
	// ReverseOn recognises the event that takes the conversion back, such as a refund; nil: nothing
	// does.
	ReverseOn *Matcher
	// Primary marks the goal by which the campaign is measured first; at most one has it.
	Primary bool
}
