package liquid

import (
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// eval is the value of an expression. A variable without a value ends the rendering, unless
// it is tested; see test.
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
		if left := truth(r.test(e.left)); left != e.and {
			return left
		}
		return truth(r.test(e.right))
	case *negation:
		return !truth(r.test(e.of))
	case *filtered:
		return r.filtered(e)
	}
	panic("BUG: an expression of no known kind")
}

// test is the value of an expression whose variables may be missing.
func (r *run) test(e expr) any {
	r.tested++
	v := r.eval(e)
	r.tested--
	return v
}

func (r *run) span(e *span) any {
	low, high := r.eval(e.low), r.eval(e.high)
	if low == nil || high == nil {
		return integers{low: 1}
	}
	return integers{low: r.integer("range", low), high: r.integer("range", high)}
}

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

// filtered passes a value through its filters. What stands before a default may be missing;
// then the filters on the way to it are passed over.
func (r *run) filtered(e *filtered) any {
	var v any
	if hasDefault(e.calls) {
		v = r.test(e.base)
	} else {
		v = r.eval(e.base)
	}
	for i := range e.calls {
		c, tested := &e.calls[i], hasDefault(e.calls[i+1:])
		r.step(1)
		switch {
		case c.name == defaultFilter:
			v = r.fallback(v, c, tested)
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

func hasDefault(calls []call) bool {
	return slices.ContainsFunc(calls, func(c call) bool { return c.name == defaultFilter })
}

// fallback is the filter default: its argument where the value is missing, false or empty.
// tested says that there is another fallback behind it.
func (r *run) fallback(v any, c *call, tested bool) any {
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

// lookup is the value of a variable. What the caller gave a root for has to be there.
func (r *run) lookup(e *path) any {
	v, wanted := r.variable(e.root)
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
		panic(stopped{&MissingError{Path: e.String()}})
	}
	return v
}

// variable is what a name stands for; wanted says that the caller gave it.
func (r *run) variable(name string) (v any, wanted bool) {
	if name == "forloop" || name == "tablerowloop" {
		if r.loop == nil {
			return nil, false
		}
		return r.loop, false
	}
	if v, own := r.locals[name]; own {
		return v, false
	}
	if n, own := r.counters[name]; own {
		return count(n), false
	}
	v, wanted = r.given[name]
	return v, wanted
}

func (r *run) member(of any, name string) any {
	switch of := of.(type) {
	case Object:
		r.step(1 + len(of)/8)
		if v := of.of(name); v != nil {
			return v
		}
		switch name {
		case "size":
			return count(len(of))
		case "first":
			if len(of) > 0 {
				return []any{of[0].Name, of[0].Value}
			}
		}
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

// element is one of a list, from 0, or from the end where it is below.
func (r *run) element(of any, index decimal.Decimal) any {
	if object, ok := of.(Object); ok {
		return r.member(object, index.String())
	}
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

// String writes a variable as a template does.
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
