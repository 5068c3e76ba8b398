package liquid

import (
	"math/bits"
	"slices"
	"strings"
)

// size is the filter "size": the number of letters of a text, of elements of a list, of
// members of an object; 0 for other values.
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

// firstOf is the filter "first": the first element of a list.
func firstOf(r *run, v any, _ []any) any { return r.member(v, "first") }

// lastOf is the filter "last": the last element of a list.
func lastOf(r *run, v any, _ []any) any { return r.member(v, "last") }

// reverse is the filter "reverse": a list in the opposite order.
func reverse(r *run, v any, _ []any) any {
	all := r.copied(v)
	slices.Reverse(all)
	return all
}

// copied returns the elements of a value as a list that the caller may change. Those of an
// object are the values of its members.
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

// compact is the filter "compact": the elements that are not nil, or whose member is not.
func compact(r *run, v any, args []any) any {
	by := argument(args, 0, nil)
	return slices.DeleteFunc(r.copied(v), func(x any) bool {
		if by != nil {
			x = r.member(x, r.text(by))
		}
		return x == nil
	})
}

// concat is the filter "concat": two lists one after the other.
func concat(r *run, v any, args []any) any {
	a, b := r.list(v), r.list(args[0])
	r.items(len(a) + len(b))
	return slices.Concat(a, b)
}

// join is the filter "join": the texts of the elements with a separator between them.
// Missing elements are left out.
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

// mapMembers is the filter "map": a member of each element.
func mapMembers(r *run, v any, args []any) any {
	name := r.text(args[0])
	all := r.elements(v)
	for i, x := range all {
		all[i] = r.member(x, name)
	}
	return all
}

// elements returns the elements of a value as a list that the caller may change. An object
// is one element.
func (r *run) elements(v any) []any {
	if o, ok := v.(Object); ok {
		r.items(1)
		return []any{o}
	}
	return r.copied(v)
}

// selectBy returns the filter "where" for true and "reject" for false. "where" keeps the
// elements whose member has a value; without a value given, those whose member is there and
// not false. "reject" keeps the others.
func selectBy(has bool) func(r *run, v any, args []any) any {
	return func(r *run, v any, args []any) any {
		name, want := r.text(args[0]), argument(args, 1, nil)
		return slices.DeleteFunc(r.elements(v), func(x any) bool {
			value := r.member(x, name)
			matches := truth(value)
			// The texts are compared too, because an id may be a number in one event and a
			// text in another.
			if want != nil {
				matches = value != nil && (r.equal(value, want) || r.text(value) == r.text(want))
			}
			return matches != has
		})
	}
}

// sortBy returns the filter "sort", or "sort_natural" for true, which ignores case. It
// orders a list, or its objects by a member, as compare does. Equal elements keep their
// order.
func sortBy(natural bool) func(r *run, v any, args []any) any {
	return func(r *run, v any, args []any) any {
		by := argument(args, 0, nil)
		all := r.elements(v)
		if by == nil {
			all = r.copied(v)
		}
		// Charge the number of comparisons beforehand: n times log n.
		r.step(len(all) * bits.Len(uint(len(all))))
		key := func(x any) any {
			if by != nil {
				x = r.member(x, r.text(by))
			}
			// A longer text may result from the change of case.
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

// uniq is the filter "uniq": the first of equal elements, or of those with an equal member.
// Elements are compared by their JSON.
func uniq(r *run, v any, args []any) any {
	by := argument(args, 0, nil)
	seen := map[string]bool{}
	return slices.DeleteFunc(r.copied(v), func(x any) bool {
		if by != nil {
			x = r.member(x, r.text(by))
		}
		// JSON keeps 1 and "1" apart, as Liquid does.
		key := r.json(x)
		before := seen[key]
		seen[key] = true
		return before
	})
}

// slice is the filter "slice": a part of a text or list. The first argument is where it
// begins, from the end where it is negative; the second is how many letters or elements it
// has, by default one.
func slice(r *run, v any, args []any) any {
	from := r.integer("slice", args[0])
	n := max(0, r.integer("slice", argument(args, 1, count(1))))
	// part returns the half-open range of a value of that length; it is empty where the
	// beginning is outside.
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
