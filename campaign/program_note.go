package campaign

import "slices"

// note computes what sets ask of a program again and again.
func (p *Program) note() {
	p.noted, p.asks, p.hears = true, nil, nil
	for _, e := range p.exprs() {
		p.asks = append(p.asks, e.asks...)
	}
	for _, m := range p.matchers() {
		p.hears = append(p.hears, m.Event)
	}
	slices.Sort(p.hears)
	p.hears = slices.Compact(p.hears)
}

// hearsOf says whether a goal, stop or wait names an event: no other one does anything
// to a chain.
func (p *Program) hearsOf(event string) bool {
	if !p.noted {
		return true
	}
	_, found := slices.BinarySearch(p.hears, event)
	return found
}

// looksBack says whether a wait of the program asks for what came since the entry.
func (p *Program) looksBack() bool {
	for i := range p.Steps {
		if w, ok := p.Steps[i].Verb.(*Wait); ok && w.FromEntry {
			return true
		}
	}
	return false
}
