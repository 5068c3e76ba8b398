package message

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/nudge-engine/nudge/campaign/jsonvalue"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/message/liquid"
)

// samples are JSON values of each type that events have. Texts are rendered with them when
// a campaign is applied, to find mistakes before a customer does. The first one suits most
// filters: it is text and number alike.
//
//nudge:constant read only
var samples = []string{
	`"7"`, `7`, `1.5`, `"text"`, `"2026-03-01T10:00:00Z"`, `[1,2,3]`, `[{"id":"a","amount":1}]`,
	`{"id":"a","amount":1,"currency":"EUR"}`, `true`, `[]`, `""`,
}

// sampleTime is the instant, in ms, at which texts are rendered for trial: 1 March 2026,
// 10:00 UTC. It is fixed so that the same texts always give the same answer.
const sampleTime = 1_772_359_200_000

// try renders the texts with values of each type, with and without the optional variables.
// It returns nil as soon as one of them works. The error, if none does, is that of the
// first sample: with such a text no message would ever leave.
func (r *Renderer) try(fields []program.Field, variables []program.Variable) error {
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
	var limit *liquid.LimitError
	if !errors.As(problem, &limit) && r.tryMixed(fields, variables) {
		return nil
	}
	return fmt.Errorf("it cannot be made of any values: %w", problem)
}

// sampleCurrency is the code of a currency, for the filter money, which takes none of the
// other samples.
const sampleCurrency = "EUR"

// maxMixed is the greatest number of renderings with different values for the variables.
// Applying a campaign must stay fast also where a text has a hundred variables.
const maxMixed = 300

// tryMixed searches for a combination of values with which the texts can be rendered, for
// texts that need values of different types: an amount, its currency and the items of an
// order all come from one event.
//
// It changes one variable at a time, to a currency or to an empty list, and keeps a change
// where the problem becomes another one. Each variable begins as a number of its own, so
// that the problems of two variables differ in their messages.
func (r *Renderer) tryMixed(fields []program.Field, variables []program.Variable) bool {
	values := make([]string, len(variables))
	for i := range values {
		values[i] = strconv.Quote(strconv.Itoa(7 + i))
	}
	done, problem := r.attempt(fields, variables, values)
	left := maxMixed
	for changed := true; changed && !done && left > 0; {
		changed = false
		for k := 0; k < 2*len(values) && !changed && left > 0; k++ { // currencies before lists
			left--
			i, sort := k%len(values), strconv.Quote(sampleCurrency)
			if k >= len(values) {
				sort = "[]"
			}
			before := values[i]
			values[i] = sort
			var next string
			done, next = r.attempt(fields, variables, values)
			if changed = done || next != problem && !strings.Contains(next, sampleCurrency); changed {
				problem = next
			} else {
				values[i] = before
			}
		}
	}
	return done
}

// attempt renders the texts with a value for each variable. problem is the error's message;
// it is empty where done is true.
func (r *Renderer) attempt(
	fields []program.Field, variables []program.Variable, values []string,
) (done bool, problem string) {
	err := r.renderWith(fields, variables, values, true)
	var missing *liquid.MissingError
	if err == nil || errors.As(err, &missing) {
		return true, ""
	}
	return false, err.Error()
}

// render renders the texts with the same value for all variables; without the optional ones
// unless optional is true.
func (r *Renderer) render(fields []program.Field, variables []program.Variable, value string, optional bool) error {
	return r.renderWith(fields, variables, slices.Repeat([]string{value}, len(variables)), optional)
}

// renderWith renders the texts with given[i] for variables[i]; without the optional
// variables unless optional is true. variables are sorted by path, and a path that occurs
// several times is given once.
func (r *Renderer) renderWith(
	fields []program.Field, variables []program.Variable, given []string, optional bool,
) error {
	values := []byte{'{'}
	for i, v := range variables {
		if v.Optional && !optional || i > 0 && v.Path == variables[i-1].Path {
			continue
		}
		if len(values) > 1 {
			values = append(values, ',')
		}
		values = append(append(jsonvalue.AppendString(values, v.Path), ':'), given[i]...)
	}
	_, err := r.Render(fields, append(values, '}'), sampleTime)
	return err
}
