package program

import "github.com/nudge-engine/nudge/campaign/expr"

// Emit makes an event of the customer. It is applied after the current record, and can start chains
// and close waits like one that was received.
type Emit struct {
	onward
	instant

	Event      string
	Properties []Assign
}

// Word implements Verb.
func (*Emit) Word() string { return "emit" }

func (e *Emit) exprs(add func(*expr.Expr)) { assigned(e.Properties, add) }

func (*Emit) request() *Send { return nil }

// Makes implements Verb.
func (e *Emit) Makes() Made { return Made{Event: e.Event, Properties: e.Properties} }

// Emits returns the names of the events that the program's steps make, in the order of the steps;
// names may repeat.
func (p *Program) Emits() []string {
	var names []string
	for i := range p.Steps {
		if name := p.Steps[i].Verb.Makes().Event; name != "" {
			names = append(names, name)
		}
	}
	return names
}
