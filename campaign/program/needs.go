package program

import "slices"

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
