package liquid

import "strings"

// equal reports whether two values are equal. Values of different types are not, so 7
// differs from "7"; only a range equals a list with the same numbers. Lists and objects are
// compared member by member, and every comparison is charged: values of two events can be
// large.
func (r *run) equal(a, b any) bool {
	r.step(1)
	switch a := a.(type) {
	case nil:
		return b == nil
	case bool:
		return a == b
	case string:
		b, ok := b.(string)
		// Only the common length is compared, so only that is charged.
		r.read(min(len(a), len(b)))
		return ok && a == b
	case Number:
		b, ok := b.(Number)
		return ok && a.Cmp(b.Decimal) == 0
	// Two ranges are compared by their ends. A range is made into a list only for a list of
	// the same length.
	case integers:
		if b, ok := b.(integers); ok {
			return a == b
		}
		if b, ok := b.([]any); ok && len(b) == a.len() {
			return r.equalLists(r.list(a), b)
		}
		return false
	case []any:
		switch b := b.(type) {
		case []any:
			return r.equalLists(a, b)
		case integers:
			return len(a) == b.len() && r.equalLists(a, r.list(b))
		}
		return false
	case Object:
		b, ok := b.(Object)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			// Each member is searched in the other object; the order of members does not
			// matter.
			r.step(len(b))
			if !r.equal(a[i].Value, b.of(a[i].Name)) {
				return false
			}
		}
		return true
	// A loop is equal only to itself.
	case *loop:
		other, ok := b.(*loop)
		return ok && a == other
	// A root, such as customer, is not a value that the author can compare usefully.
	case map[string]any:
		return false
	}
	panic("BUG: a value of a template cannot be compared")
}

// equalLists reports whether two lists have equal elements in the same order.
func (r *run) equalLists(a, b []any) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !r.equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

// less reports whether a precedes b: numbers by value, texts by their bytes. Values of
// other types, or of two different types, have no order: the answer is false both ways, so
// that a condition about a missing value is false and not an error.
func (r *run) less(a, b any) bool {
	r.step(1)
	switch a := a.(type) {
	case Number:
		b, ok := b.(Number)
		return ok && a.Cmp(b.Decimal) < 0
	case string:
		b, ok := b.(string)
		r.read(min(len(a), len(b)))
		return ok && a < b
	}
	return false
}

// contains reports whether a text has a text inside, a list has an element, a range has a
// whole number, or an object has a member of that name.
func (r *run) contains(in, what any) bool {
	switch in := in.(type) {
	case string:
		if what == nil {
			return false
		}
		// A number is searched for as its text, as Liquid does.
		part := r.text(what)
		r.read(len(in))
		return strings.Contains(in, part)
	case []any:
		for _, x := range in {
			if r.equal(x, what) {
				return true
			}
		}
	case integers:
		// A range is not walked through: its ends decide.
		n, ok := what.(Number)
		return ok && n.IsInteger() && n.Cmp(count(in.low).Decimal) >= 0 && n.Cmp(count(in.high).Decimal) <= 0
	case Object:
		name, ok := what.(string)
		r.step(1 + len(in))
		return ok && in.of(name) != nil
	}
	return false
}

// compare orders values for sorting and returns a negative number, 0 or a positive number.
// Numbers are ordered by value, everything else by its text, and missing values are last.
// Unlike less it orders any two values: a sort needs a total order.
func (r *run) compare(a, b any) int {
	r.step(1)
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	x, numberX := a.(Number)
	y, numberY := b.(Number)
	if numberX && numberY {
		return x.Cmp(y.Decimal)
	}
	return strings.Compare(r.text(a), r.text(b))
}
