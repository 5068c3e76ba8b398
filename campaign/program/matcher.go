package program

import "github.com/nudge-engine/nudge/campaign/expr"

// Target is the step that a wait's matcher leads to from step index at.
func (match *Matcher) Target(p *Program, at int) string {
	if match.Goto != "" {
		return match.Goto
	}
	return p.After(at)
}

// Text says what a matcher waits for.
func (match *Matcher) Text() string {
	text := match.Event
	if match.Match != "" {
		text += ", same " + match.Match
	}
	if match.Where != nil {
		text += ", where " + match.Where.Source
	}
	return text
}

// Matcher recognises an event in the light of the chain's trigger.
type Matcher struct {
	Event string
	Where *expr.Expr
	Match string // property that must be equal on the event and the trigger
	Goto  string // target step of a wait; empty: the next step, "end": the end
}

// Matchers are all the goals', stops' and waits' matchers of a program.
func (p *Program) Matchers() []*Matcher {
	var all []*Matcher
	for i := range p.Goals {
		all = append(all, &p.Goals[i].Match)
		if p.Goals[i].ReverseOn != nil {
			all = append(all, p.Goals[i].ReverseOn)
		}
	}
	for i := range p.Stops {
		all = append(all, &p.Stops[i])
	}
	for i := range p.Steps {
		if w, ok := p.Steps[i].Verb.(*Wait); ok {
			w.matchers(func(m *Matcher) { all = append(all, m) })
		}
	}
	return all
}
