package message

import (
	"errors"
	"fmt"

	"github.com/nudge-engine/nudge/campaign"
	"github.com/nudge-engine/nudge/sink/dispatch/message/liquid"
)

// samples are values of each sort, as JSON. The first is what filters of all sorts take.
//
//nudge:constant read only
var samples = []string{
	`"7"`, `7`, `1.5`, `"text"`, `"2026-03-01T10:00:00Z"`, `[1,2,3]`, `[{"id":"a","amount":1}]`,
	`{"id":"a","amount":1,"currency":"EUR"}`, `true`, `[]`, `""`,
}

// sampleTime is the instant at which texts are tried, ms.
const sampleTime = 1_772_359_200_000

// try renders the texts with values of each sort. The error is that of the first sample,
// given if there is none with which they can be rendered: then no message would ever leave.
func (r *Renderer) try(fields []campaign.Field, variables []campaign.Variable) error {
	var problem error
	for _, sample := range samples {
		for _, all := range []bool{true, false} {
			err := r.render(fields, variables, sample, all)
			var missing *liquid.MissingError // no sample has all members that a text may look for
			if err == nil || errors.As(err, &missing) {
				return nil
			}
			if problem == nil {
				problem = err
			}
		}
	}
	return fmt.Errorf("it cannot be made of any values: %w", problem)
}

// render renders the texts with one value for each variable, or for each that is required.
func (r *Renderer) render(fields []campaign.Field, variables []campaign.Variable, value string, optional bool) error {
	values := []byte{'{'}
	for i, v := range variables {
		if v.Optional && !optional || i > 0 && v.Path == variables[i-1].Path {
			continue
		}
		if len(values) > 1 {
			values = append(values, ',')
		}
		values = append(append(campaign.AppendJSONString(values, v.Path), ':'), value...)
	}
	_, err := r.Render(fields, append(values, '}'), sampleTime)
	return err
}
