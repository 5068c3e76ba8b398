package program

import (
	"slices"

	"github.com/nudge-engine/nudge/campaign/expr"
)

// Note computes what sets ask of a program again and again.
func (p *Program) Note() {
	p.Noted, p.Asks, p.Hears = true, nil, nil
	for _, e := range p.exprs() {
		p.Asks = append(p.Asks, e.Asks...)
	}
	for _, m := range p.Matchers() {
		p.Hears = append(p.Hears, m.Event)
	}
	slices.Sort(p.Hears)
	p.Hears = slices.Compact(p.Hears)
}

// HearsOf says whether a goal, stop or wait names an event: no other one does anything
// to a chain.
func (p *Program) HearsOf(event string) bool {
	if !p.Noted {
		return true
	}
	_, found := slices.BinarySearch(p.Hears, event)
	return found
}

// exprs are all the expressions of a program.
func (p *Program) exprs() []*expr.Expr {
	var all []*expr.Expr
	add := func(e *expr.Expr) {
		if e != nil {
			all = append(all, e)
		}
	}
	if p.Trigger != nil { // it has one, unless it was read with mistakes
		p.Trigger.exprs(add)
	}
	add(p.Audience)
	add(p.Reentry.Key)
	for i := range p.Goals {
		add(p.Goals[i].Value)
		add(p.Goals[i].Currency)
	}
	for _, m := range p.Matchers() {
		add(m.Where)
	}
	if p.Policy.Dedupe != nil {
		add(p.Policy.Dedupe.Key)
	}
	for i := range p.Steps {
		p.Steps[i].Verb.exprs(add)
	}
	return all
}
