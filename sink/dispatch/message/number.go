package message

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strconv"

	"github.com/osteele/liquid"
)

// decimal is a number of a message: it prints as people write it, 1000000 and not 1e+06.
type decimal float64

// String implements fmt.Stringer.
func (d decimal) String() string { return strconv.FormatFloat(float64(d), 'f', -1, 64) }

// decimals puts decimals in the place of the numbers of a decoded JSON value. Whole
// numbers that a double cannot hold stay whole, so that long ids are what they were.
func decimals(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil && (n > 1<<53 || n < -1<<53) {
			return n
		}
		f, err := v.Float64()
		if err != nil {
			return v.String()
		}
		return decimal(f)
	case map[string]any:
		for key, inner := range v { // each member on its own: no order shows
			v[key] = decimals(inner)
		}
	case []any:
		for i := range v {
			v[i] = decimals(v[i])
		}
	}
	return v
}

//nudge:constant read only
var errDivision = errors.New("division by zero")

// calculate gives the engine's filters that calculate results that print as decimals.
func calculate(e *liquid.Engine) {
	e.RegisterFilter("abs", func(a float64) any { return decimal(math.Abs(a)) })
	e.RegisterFilter("plus", func(a, b float64) any { return decimal(a + b) })
	e.RegisterFilter("minus", func(a, b float64) any { return decimal(a - b) })
	e.RegisterFilter("times", func(a, b float64) any { return decimal(a * b) })
	e.RegisterFilter("modulo", func(a, b float64) any { return decimal(math.Mod(a, b)) })
	e.RegisterFilter("round", func(a float64, places func(int) int) any {
		exp := math.Pow10(places(0))
		return decimal(math.Floor(a*exp+0.5) / exp)
	})
	e.RegisterFilter("divided_by", divide)
}

// divide divides whole by a whole number that stands in the template, as Liquid does.
func divide(a float64, b any) (any, error) {
	q := reflect.ValueOf(b)
	switch {
	case q.CanInt() && q.Int() == 0, q.CanFloat() && q.Float() == 0:
		return 0, errDivision
	case q.CanInt():
		return int64(a) / q.Int(), nil
	case q.CanFloat():
		return decimal(a / q.Float()), nil
	}
	return nil, errors.New("the divisor is no number")
}
