package program

import "github.com/nudge-engine/nudge/campaign/expr"

// Target returns the id of the step that a wait's matcher leads to from step index at.
func (match *Matcher) Target(p *Program, at int) string {
	if match.Goto != "" {
		return match.Goto
	}
	return p.After(at)
}

// Text describes for people what a matcher waits for: "Order Completed, same order_id, where
// event.properties.total > 5".
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

// Matcher recognises an event: by name, by a condition, and by its relation to the event that
// started the chain.
type Matcher struct {
	Event string
	// Where is the condition; nil: none.
	Where *expr.Expr
	// Match is a property that must be equal on the event and the trigger event, such as order_id;
	// empty: none.
	Match string
	// Goto is the step that a wait goes to; empty: the next step; EndStep: the chain ends.
	Goto string
}

// Matchers returns the matchers of all goals, stops and waits of a program, those of the goals
// first.
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
