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

// sampleCurrency is what no other sample is: the code of a currency.
const sampleCurrency = "EUR"

// maxMixed bounds the renderings in which variables are of different sorts.
const maxMixed = 300

// tryMixed looks for the variables that are currencies, which no amount is, and for lists
// whose members have what no sample has: an amount, its currency and the items of an order
// come from one event. Each variable begins as a number of its own, so that two problems
// differ, and is changed where that makes way for another one.
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

// attempt renders the texts with a value for each variable; the problem is empty when done.
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

// render renders the texts with one value for each variable, or for each that is required.
func (r *Renderer) render(fields []program.Field, variables []program.Variable, value string, optional bool) error {
	return r.renderWith(fields, variables, slices.Repeat([]string{value}, len(variables)), optional)
}

// renderWith renders the texts with a value for each variable, or for each that is required.
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
