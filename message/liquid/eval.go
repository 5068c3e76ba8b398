package liquid

import (
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// eval returns the value of an expression. A variable without a value ends the rendering,
// unless it is being tested; see test.
func (r *run) eval(e expr) any {
	r.step(1)
	switch e := e.(type) {
	case *literal:
		return e.value
	case *path:
		return r.lookup(e)
	case *span:
		return r.span(e)
	case *comparison:
		return r.compares(e)
	case *logic:
		// "and" is decided by a false left side, "or" by a true one; the right side is then
		// not evaluated.
		if left := truth(r.test(e.left)); left != e.and {
			return left
		}
		return truth(r.test(e.right))
	case *negation:
		return !truth(r.test(e.of))
	case *filtered:
		return r.filtered(e)
	}
	// The parser makes no other types; a new one must be added here and in names.go.
	panic("BUG: an expression of no known kind")
}

// test returns the value of an expression whose variables may be missing. Tests nest, so
// they are counted.
func (r *run) test(e expr) any {
	r.tested++
	v := r.eval(e)
	r.tested--
	return v
}

// span returns a range; an empty one where an end of it is missing.
func (r *run) span(e *span) any {
	// The ends are evaluated outside of a test: a missing variable as an end is an error,
	// unless the whole range is being tested.
	low, high := r.eval(e.low), r.eval(e.high)
	if low == nil || high == nil {
		return integers{low: 1}
	}
	return integers{low: r.integer("range", low), high: r.integer("range", high)}
}

// compares returns the result of a comparison. Both sides are tested: a missing value is
// nil.
func (r *run) compares(e *comparison) bool {
	left, right := r.test(e.left), r.test(e.right)
	switch e.op {
	case "==":
		return r.equal(left, right)
	case "!=":
		return !r.equal(left, right)
	case "<":
		return r.less(left, right)
	case ">":
		return r.less(right, left)
	case "<=":
		return r.less(left, right) || r.equal(left, right)
	case ">=":
		return r.less(right, left) || r.equal(left, right)
	}
	return r.contains(left, right)
}

// filtered passes a value through its filters. A value before a "default" may be missing;
// the filters up to that default are then skipped, because most of them fail without a
// value.
func (r *run) filtered(e *filtered) any {
	var v any
	if hasDefault(e.calls) {
		v = r.test(e.base)
	} else {
		v = r.eval(e.base)
	}
	for i := range e.calls {
		// A value may be missing as long as a default follows.
		c, tested := &e.calls[i], hasDefault(e.calls[i+1:])
		r.step(1)
		switch {
		case c.name == defaultFilter:
			v = r.fallback(v, c, tested)
		// Arguments are evaluated one by one from the left, before the filter runs.
		case v != nil || !tested:
			args := make([]any, len(c.args))
			for j, a := range c.args {
				args[j] = r.eval(a)
			}
			v = c.run.apply(r, v, args)
		}
	}
	return v
}

// hasDefault reports whether one of the filters is "default".
func hasDefault(calls []call) bool {
	return slices.ContainsFunc(calls, func(c call) bool { return c.name == defaultFilter })
}

// fallback is the filter "default": it returns its argument where the value is missing,
// false or empty. tested reports whether another default follows, so that the argument may
// be missing too. Without an argument the fallback is an empty text.
func (r *run) fallback(v any, c *call, tested bool) any {
	// allow_false: true keeps a value that is false.
	if v == false && len(c.named) > 0 && truth(r.eval(c.named[0].value)) {
		return v
	}
	if truth(v) && !isEmpty(v) {
		return v
	}
	switch {
	case len(c.args) == 0:
		return ""
	case tested:
		return r.test(c.args[0])
	}
	return r.eval(c.args[0])
}

// isEmpty reports whether v is an empty text, list or object.
func isEmpty(v any) bool {
	switch v := v.(type) {
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case Object:
		return len(v) == 0
	}
	return false
}

// lookup returns the value of a variable; nil where it has none. Where the caller gave the
// root of the variable, a value is wanted, and a missing one ends the rendering outside of
// a test.
func (r *run) lookup(e *path) any {
	v, wanted := r.variable(e.root)
	// Each part is looked up in the value of the one before. In nil there is nothing, so a
	// missing object gives a missing member.
	for i := range e.parts {
		p := &e.parts[i]
		if p.index == nil {
			v = r.member(v, p.name)
			continue
		}
		switch index := r.eval(p.index).(type) {
		case string:
			v = r.member(v, index)
		case Number:
			v = r.element(v, index.Decimal)
		default:
			v = nil
		}
	}
	if v == nil && wanted && r.tested == 0 {
		// The message names the whole variable, because the author does not see which part
		// of it was missing.
		panic(stopped{&MissingError{Path: e.String()}})
	}
	return v
}

// variable returns what a name stands for. Names that the template gives have precedence
// over those of the caller. wanted reports whether the caller gave it.
func (r *run) variable(name string) (v any, wanted bool) {
	if name == "forloop" || name == "tablerowloop" {
		if r.loop == nil {
			return nil, false
		}
		return r.loop, false
	}
	// A value of the template's own is never wanted: it may have been assigned a missing
	// value in a test.
	if v, own := r.locals[name]; own {
		return v, false
	}
	if n, own := r.counters[name]; own {
		return count(n), false
	}
	v, wanted = r.given[name]
	return v, wanted
}

// member returns the member of a value with a name; nil where there is none. Lists, texts
// and ranges have the members size, first and last as Liquid defines them.
func (r *run) member(of any, name string) any {
	switch of := of.(type) {
	case Object:
		// A look-up in an object compares names; eight of them count as a step.
		r.step(1 + len(of)/8)
		if v := of.of(name); v != nil {
			return v
		}
		// An object has the size and the first pair of a list, unless it has members of
		// these names.
		switch name {
		case "size":
			return count(len(of))
		case "first":
			if len(of) > 0 {
				return []any{of[0].Name, of[0].Value}
			}
		}
	// A root that the caller gave, such as customer.
	case map[string]any:
		return of[name]
	case *loop:
		return of.of(name)
	case []any:
		switch {
		case name == "size":
			return count(len(of))
		case name == "first" && len(of) > 0:
			return of[0]
		case name == "last" && len(of) > 0:
			return of[len(of)-1]
		}
		// list.0 is another way to write list[0].
		if n, ok := parseNumber(name); ok {
			return r.element(of, n.Decimal)
		}
	case integers:
		switch {
		case name == "size":
			return count(of.len())
		case name == "first" && of.len() > 0:
			return count(of.low)
		case name == "last" && of.len() > 0:
			return count(of.high)
		}
	case string:
		if name == "size" {
			return r.size(of)
		}
	}
	return nil
}

// element returns the element of a list or range at an index from 0, or from the end where
// the index is negative (-1 is the last); nil outside of the list and for an index that is
// not whole. Of an object it returns the member whose name is the number.
func (r *run) element(of any, index decimal.Decimal) any {
	if object, ok := of.(Object); ok {
		return r.member(object, index.String())
	}
	// The bound keeps the conversion to int exact.
	if !index.IsInteger() || index.Abs().Cmp(decimal.NewFromInt(maxInteger)) > 0 {
		return nil
	}
	at := int(index.IntPart())
	switch of := of.(type) {
	case []any:
		if at < 0 {
			at += len(of)
		}
		if at >= 0 && at < len(of) {
			return of[at]
		}
	case integers:
		if at < 0 {
			at += of.len()
		}
		if at >= 0 && at < of.len() {
			return count(of.low + at)
		}
	}
	return nil
}

// String returns the variable as a template writes it, for messages. An index that is an
// expression is written as [...].
func (e *path) String() string {
	var b strings.Builder
	b.WriteString(e.root)
	for i := range e.parts {
		p := &e.parts[i]
		switch l, _ := p.index.(*literal); {
		case p.index == nil && !p.quoted:
			b.WriteString("." + p.name)
		case p.index == nil:
			b.WriteString("['" + p.name + "']")
		case l != nil:
			if n, ok := l.value.(Number); ok {
				b.WriteString("[" + n.String() + "]")
			}
		default:
			b.WriteString("[...]")
		}
	}
	return b.String()
}
