package program

import "github.com/nudge-engine/nudge/campaign/expr"

// Goal is the goal of that id, nil when there is none.
func (p *Program) Goal(id string) *Goal {
	for i := range p.Goals {
		if p.Goals[i].ID == id {
			return &p.Goals[i]
		}
	}
	return nil
}

// primary is the goal by which the campaign is measured first: the one that says so,
// else the first; nil without goals.
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

// Goal is a conversion.
type Goal struct {
	ID           string
	Match        Matcher
	Window       int64 // ms from the entry, inclusive; 0: while the chain lives
	FromDelivery bool  // the window counts from the last delivery
	Value        *expr.Expr
	Currency     *expr.Expr
	Stop         bool
	ReverseOn    *Matcher // takes the conversion back; nil: nothing does
	Primary      bool     // the campaign is measured by it first
}
