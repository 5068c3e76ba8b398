// Package message turns the texts of a message and the values captured for it
// into what a channel sends. Templates are Liquid.
//
// Which variables a template names is found once, when a campaign is applied
// (Variables); the engine captures their values when the step is decided; Render
// puts them in. So the core needs no Liquid, and a message shows the customer as
// they were at that moment.
package message

import (
	"errors"
	"fmt"

	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/message/liquid"
)

// Renderer parses and renders templates. It is safe for concurrent use.
type Renderer struct{ parsed parsed }

// NewRenderer is a renderer with Liquid's filters.
func NewRenderer() *Renderer { return &Renderer{} }

// Render renders the texts with captured values: a JSON object from variable path
// to value, as the engine stores it. The fields keep their order. at is the instant of the
// decision, in ms, which a template calls now.
//
// The error is one for good: it wraps a *liquid.LimitError, a *liquid.MissingError or a
// *liquid.Error.
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

// ReasonOf is the reason of an error of Render.
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
