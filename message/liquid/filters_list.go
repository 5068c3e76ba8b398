package liquid

import (
	"math/bits"
	"slices"
	"strings"
)

func size(r *run, v any, _ []any) any {
	switch v := v.(type) {
	case string:
		return r.size(v)
	case []any:
		return count(len(v))
	case Object:
		return count(len(v))
	case integers:
		return count(v.len())
	}
	return count(0)
}

func firstOf(r *run, v any, _ []any) any { return r.member(v, "first") }

func lastOf(r *run, v any, _ []any) any { return r.member(v, "last") }

func reverse(r *run, v any, _ []any) any {
	all := r.copied(v)
	slices.Reverse(all)
	return all
}

// copied is a list of one's own. The members of an object are its values.
func (r *run) copied(v any) []any {
	if o, ok := v.(Object); ok {
		r.items(len(o))
		all := make([]any, len(o))
		for i := range o {
			all[i] = o[i].Value
		}
		return all
	}
	list := r.list(v)
	r.items(len(list))
	return slices.Clone(list)
}

func compact(r *run, v any, args []any) any {
	by := argument(args, 0, nil)
	return slices.DeleteFunc(r.copied(v), func(x any) bool {
		if by != nil {
			x = r.member(x, r.text(by))
		}
		return x == nil
	})
}

func concat(r *run, v any, args []any) any {
	a, b := r.list(v), r.list(args[0])
	r.items(len(a) + len(b))
	return slices.Concat(a, b)
}

func join(r *run, v any, args []any) any {
	by := r.text(argument(args, 0, " "))
	var b strings.Builder
	some := false
	for _, x := range r.copied(v) {
		if x == nil {
			continue
		}
		s := r.text(x)
		r.make(len(s) + len(by))
		if some {
			b.WriteString(by)
		}
		some = true
		b.WriteString(s)
	}
	return b.String()
}

func mapMembers(r *run, v any, args []any) any {
	name := r.text(args[0])
	all := r.elements(v)
	for i, x := range all {
		all[i] = r.member(x, name)
	}
	return all
}

// elements is a list of one's own in which an object is one element.
func (r *run) elements(v any) []any {
	if o, ok := v.(Object); ok {
		r.items(1)
		return []any{o}
	}
	return r.copied(v)
}

// selectBy is the objects of a list whose member has a value; without one, whose member is
// there and not false. reject is the others.
func selectBy(has bool) func(r *run, v any, args []any) any {
	return func(r *run, v any, args []any) any {
		name, want := r.text(args[0]), argument(args, 1, nil)
		return slices.DeleteFunc(r.elements(v), func(x any) bool {
			value := r.member(x, name)
			matches := truth(value)
			if want != nil {
				matches = value != nil && (r.equal(value, want) || r.text(value) == r.text(want))
			}
			return matches != has
		})
	}
}

// sortBy orders a list, its objects by a member: numbers by size, all else as text, what is
// missing last. natural passes over large and small letters.
func sortBy(natural bool) func(r *run, v any, args []any) any {
	return func(r *run, v any, args []any) any {
		by := argument(args, 0, nil)
		all := r.elements(v)
		if by == nil {
			all = r.copied(v)
		}
		r.step(len(all) * bits.Len(uint(len(all))))
		key := func(x any) any {
			if by != nil {
				x = r.member(x, r.text(by))
			}
			if s, ok := x.(string); ok && natural {
				r.make(2 * len(s))
				return strings.ToLower(s)
			}
			return x
		}
		slices.SortStableFunc(all, func(a, b any) int { return r.compare(key(a), key(b)) })
		return all
	}
}

// uniq leaves the first of equal elements.
func uniq(r *run, v any, args []any) any {
	by := argument(args, 0, nil)
	seen := map[string]bool{}
	return slices.DeleteFunc(r.copied(v), func(x any) bool {
		if by != nil {
			x = r.member(x, r.text(by))
		}
		key := r.json(x)
		before := seen[key]
		seen[key] = true
		return before
	})
}

// slice is a part of a text or a list: one element, or as many as are asked for, counted
// from the end where the place is below zero.
func slice(r *run, v any, args []any) any {
	from := r.integer("slice", args[0])
	n := max(0, r.integer("slice", argument(args, 1, count(1))))
	part := func(length int) (int, int) {
		if from < 0 {
			from += length
		}
		if from < 0 || from >= length {
			return 0, 0
		}
		return from, min(length, from+n)
	}
	switch v.(type) {
	case []any, integers:
		list := r.list(v)
		a, b := part(len(list))
		r.items(b - a)
		return slices.Clone(list[a:b])
	}
	all := letters(r, r.text(v))
	a, b := part(len(all))
	return strings.Join(all[a:b], "")
}
