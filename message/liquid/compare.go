package liquid

import "strings"

// equal compares values; those of different kinds differ.
func (r *run) equal(a, b any) bool {
	r.step(1)
	switch a := a.(type) {
	case nil:
		return b == nil
	case bool:
		return a == b
	case string:
		b, ok := b.(string)
		r.read(min(len(a), len(b)))
		return ok && a == b
	case Number:
		b, ok := b.(Number)
		return ok && a.Cmp(b.Decimal) == 0
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
			r.step(len(b))
			if !r.equal(a[i].Value, b.of(a[i].Name)) {
				return false
			}
		}
		return true
	case *loop:
		other, ok := b.(*loop)
		return ok && a == other
	case map[string]any:
		return false
	}
	panic("BUG: a value of a template cannot be compared")
}

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

// less says whether a is before b: numbers by size, texts by their letters; others never.
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

// contains says whether a text has a text inside, a list an element, an object a member.
func (r *run) contains(in, what any) bool {
	switch in := in.(type) {
	case string:
		if what == nil {
			return false
		}
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
		n, ok := what.(Number)
		return ok && n.IsInteger() && n.Cmp(count(in.low).Decimal) >= 0 && n.Cmp(count(in.high).Decimal) <= 0
	case Object:
		name, ok := what.(string)
		r.step(1 + len(in))
		return ok && in.of(name) != nil
	}
	return false
}

// compare orders values for sorting: numbers by size, all else as text, what is missing last.
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
