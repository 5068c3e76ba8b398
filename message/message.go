// Package message turns the texts of a message, and the values captured for it, into what a
// channel sends. Texts are Liquid templates.
//
// The work is divided in time. When a campaign is applied, Variables finds the variables
// that its texts name. When the engine decides a send, it captures their values with the
// delivery. When the dispatcher sends it, Render inserts them. So the engine needs no
// Liquid, and a message shows the customer as they were at the moment of the decision, also
// when it leaves later or again.
//
// Package liquid is the template language; value.go prepares the captured values for it,
// variables.go and samples.go check texts.
package message

import (
	"errors"
	"fmt"

	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/message/liquid"
)

// Renderer parses and renders templates, and keeps those that it parsed. It is safe for
// concurrent use.
type Renderer struct{ parsed parsed }

// NewRenderer returns a Renderer without any template parsed.
func NewRenderer() *Renderer { return &Renderer{} }

// Render renders the texts of fields with captured values and returns the fields in the
// same order. values is a JSON object from the path of a variable to its value, as the
// engine stores it; at is the instant of the decision in ms, which the template names
// "now".
//
// An error is final: the same values give it again. It wraps a *liquid.LimitError, a
// *liquid.MissingError or a *liquid.Error; ReasonOf tells them apart.
func (r *Renderer) Render(fields []program.Field, values []byte, at int64) ([]program.Field, error) {
	bindings, err := unfold(values)
	if err != nil {
		return nil, err
	}
	bindings[liquid.Now] = unit.FormatTime(at)
	rendered := make([]program.Field, 0, len(fields))
	for _, f := range fields {
		t, err := r.parsed.of(f.Source)
		if err != nil {
			return nil, fmt.Errorf("message: %s: %w", f.Name, err)
		}
		text, err := t.Render(bindings)
		if err != nil {
			return nil, fmt.Errorf("message: %s: %w", f.Name, err)
		}
		rendered = append(rendered, program.Field{Name: f.Name, Source: text})
	}
	return rendered, nil
}

// ReasonOf returns the reason under which a delivery fails that Render cannot render.
func ReasonOf(err error) output.Reason {
	var limit *liquid.LimitError
	var missing *liquid.MissingError
	switch {
	case errors.As(err, &limit):
		return output.ReasonLimit
	case errors.As(err, &missing):
		return output.ReasonVariable
	}
	return output.ReasonTemplate
}
