package program

import (
	"slices"

	"github.com/nudge-engine/nudge/campaign/expr"
)

// Note fills in Asks and Hears, which sets need for each change of any definition. It is called
// once, before the program is shared.
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

// HearsOf reports whether a goal, stop or wait names an event. Other events do nothing to the
// chains of the campaign, so they are not even looked at.
func (p *Program) HearsOf(event string) bool {
	if !p.Noted {
		return true
	}
	_, found := slices.BinarySearch(p.Hears, event)
	return found
}

// exprs returns all expressions of a program, those of texts apart, which are Liquid.
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
