package message

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/osteele/liquid"
)

// decimal is a number of a message that is not whole: it prints as people write it,
// 1234567.5 and not 1.2345675e+06.
type decimal float64

// String implements fmt.Stringer.
func (d decimal) String() string { return strconv.FormatFloat(float64(d), 'f', -1, 64) }

// exact is the largest number up to which a double holds every whole number.
const exact = 1 << 53

// number is a JSON number: a whole one is an int, so that templates can count and index
// with it, and long ids are what they were.
func number(text string) any {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return int(n)
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return text
	}
	return decimal(f)
}

// result is what a filter calculated.
func result(f float64) any {
	if f == math.Trunc(f) && math.Abs(f) <= exact {
		return int(f)
	}
	return decimal(f)
}

//nudge:constant read only
var errDivision = errors.New("division by zero")

// calculate gives the engine's filters that calculate results that print as decimals.
func calculate(e *liquid.Engine) {
	e.RegisterFilter("abs", func(a float64) any { return result(math.Abs(a)) })
	e.RegisterFilter("ceil", func(a float64) any { return result(math.Ceil(a)) })
	e.RegisterFilter("floor", func(a float64) any { return result(math.Floor(a)) })
	e.RegisterFilter("plus", func(a, b float64) any { return result(a + b) })
	e.RegisterFilter("minus", func(a, b float64) any { return result(a - b) })
	e.RegisterFilter("times", func(a, b float64) any { return result(a * b) })
	e.RegisterFilter("at_least", func(a, b float64) any { return result(math.Max(a, b)) })
	e.RegisterFilter("at_most", func(a, b float64) any { return result(math.Min(a, b)) })
	e.RegisterFilter("modulo", modulo)
	e.RegisterFilter("round", func(a float64, places func(int) int) any {
		exp := math.Pow10(places(0))
		return result(math.Floor(a*exp+0.5) / exp)
	})
	e.RegisterFilter("divided_by", divide)
	e.RegisterFilter("sum", sum)
}

// modulo has the sign of the divisor, as in Liquid.
func modulo(a, b float64) (any, error) {
	if b == 0 {
		return nil, errDivision
	}
	return result(a - b*math.Floor(a/b)), nil
}

// divide gives a whole number, rounded down, where both are whole, as Liquid does.
func divide(a, b any) (any, error) {
	x, wholeX, err := operand(a)
	if err != nil {
		return nil, err
	}
	y, wholeY, err := operand(b)
	switch {
	case err != nil:
		return nil, err
	case y == 0:
		return nil, errDivision
	case wholeX && wholeY:
		return result(math.Floor(x / y)), nil
	default:
		return decimal(x / y), nil
	}
}

// sum adds up the numbers of a list, or a member of its objects.
func sum(list []any, member func(string) string) (any, error) {
	total := 0.0
	name := member("")
	for _, v := range list {
		if name != "" {
			v = propertyOf(v, name)
		}
		if v == nil {
			continue
		}
		f, _, err := operand(v)
		if err != nil {
			return nil, err
		}
		total += f
	}
	return result(total), nil
}

// operand is a value as a number, and whether it is written as a whole one.
func operand(v any) (f float64, whole bool, err error) {
	switch v := v.(type) {
	case int:
		return float64(v), true, nil
	case int64:
		return float64(v), true, nil
	case decimal:
		return float64(v), false, nil
	case float64:
		return v, false, nil
	case string:
		text := strings.TrimSpace(v)
		if f, err = strconv.ParseFloat(text, 64); err == nil {
			return f, !strings.ContainsAny(text, ".eE"), nil
		}
	}
	return 0, false, fmt.Errorf("%v is no number", v)
}
