package program

import (
	"fmt"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/expr"
)

// Send decides a delivery on each of its channels: whether it may be sent, and with which values.
// The message is rendered later, by the dispatcher.
type Send struct {
	instant

	Channels []string
	// Expires is how long after the hand-off a delivery may be tried, ms.
	Expires int64
	Message Message
	// To is an expression for another address than the customer's own, which channels know; nil:
	// none.
	To *expr.Expr
	// Category overrides the campaign's; empty: see Program.Category.
	Category string
	// OnFail is the step that the final failure of a delivery leads to; empty: none, the chain is
	// not moved.
	OnFail string
	OnCap  OnCap
	OnDrop OnDrop
}

// Message is the content of a send: a template by name, or inline texts (a field
// name and its Liquid source, in the order written), or neither, for channels
// that only take data.
type Message struct {
	Template string
	Fields   []Field
}

// Field is one text of a message, such as subject: Name is what the channel calls it, Source is
// Liquid.
type Field struct{ Name, Source string }

// Variable is a value that a message names. Values are captured when a delivery is decided, so that
// a message sent later says what was true then.
type Variable struct {
	Path     string `json:"Path"`     // for example customer.traits.name
	Optional bool   `json:"Optional"` // the template has a fallback for it
	// Unless is the path of the variable whose fallback this one is: it is needed only where
	// that one is missing, false or empty; empty: always.
	Unless string `json:"Unless,omitempty"`
}

// OnDrop says where a chain goes whose send was dropped on all of its channels; the zero
// value goes on to the next step.
type OnDrop struct {
	Exit bool
	Goto string
}

// Word implements Verb.
func (*Send) Word() string { return "send" }

func (s *Send) exprs(add func(*expr.Expr)) { add(s.To) }

// targets are the next step, and those that a failure or a drop leads to.
func (s *Send) targets(next string) []string {
	all := []string{next}
	for _, target := range [...]string{s.OnFail, s.OnDrop.Goto} {
		if target != "" {
			all = append(all, target)
		}
	}
	return all
}

// silentTargets is the next step: nothing fails for a customer who only does not react.
func (*Send) silentTargets(next string) []string { return []string{next} }

// onTimer stays at a send that was held, for example by quiet hours, which decides it again.
func (*Send) onTimer(ch *customer.Chain, next string) string {
	if ch.Held != nil {
		return ch.Step
	}
	return next
}

func (s *Send) afterFailure() string { return s.OnFail }

func (s *Send) request() *Send { return s }

// Makes implements Verb.
func (*Send) Makes() Made { return Made{} }

// Sends calls f with each send step and the request of each call step, in the order of the steps.
func (p *Program) Sends(f func(step string, s *Send)) {
	for i := range p.Steps {
		if s := p.Steps[i].Verb.request(); s != nil {
			f(p.Steps[i].ID, s)
		}
	}
}

// SetNeeds records which variables the message of each send step names; see Document.Needs. It
// fails for an id that is not that of a step that sends.
func (p *Program) SetNeeds(needs map[string][]Variable) error {
	p.Needs = needs
	known := 0
	p.Sends(func(step string, _ *Send) {
		if _, ok := needs[step]; ok {
			known++
		}
	})
	if known != len(needs) {
		return fmt.Errorf("campaign: %s: variables are given for a step that sends nothing", p.Name)
	}
	return nil
}
