package expr

import (
	"cmp"
	"slices"
)

// interval is a range of values, both ends included; an open end has no bound.
type interval[T cmp.Ordered] struct {
	low, high         T
	openLow, openHigh bool
	// member is the number that Find returns.
	member int32
}

// intervals finds the intervals that hold a value, in a time logarithmic in their number plus a few
// steps for each one found. It is an interval tree laid out in one sorted slice: the root of a
// range is its middle. It is immutable after build.
//
// Invariant after build: all is sorted by the lower end, open ones first; highest[i] is the place
// of the interval with the highest upper end in the subtree whose root is i.
type intervals[T cmp.Ordered] struct {
	all     []interval[T]
	highest []int32
}

// add adds an interval; build must be called before the next search.
func (x *intervals[T]) add(v interval[T]) { x.all = append(x.all, v) }

// build sorts the intervals and fills in highest.
func (x *intervals[T]) build() {
	slices.SortStableFunc(x.all, func(a, b interval[T]) int {
		switch {
		case a.openLow && b.openLow:
			return 0
		case a.openLow:
			return -1
		case b.openLow:
			return 1
		}
		return cmp.Compare(a.low, b.low)
	})
	x.highest = make([]int32, len(x.all))
	x.raise(0, len(x.all))
}

// raise fills in highest for the subtree of the range [from, to) and returns that of its root, -1
// for an empty range.
func (x *intervals[T]) raise(from, to int) int32 {
	if from >= to {
		return -1
	}
	middle := (from + to) / 2
	best := int32(middle)
	for _, other := range [2]int32{x.raise(from, middle), x.raise(middle+1, to)} {
		if other >= 0 && x.higher(other, best) {
			best = other
		}
	}
	x.highest[middle] = best
	return best
}

// higher says whether interval i ends above interval j.
func (x *intervals[T]) higher(i, j int32) bool {
	a, b := &x.all[i], &x.all[j]
	return !b.openHigh && (a.openHigh || a.high > b.high)
}

// around appends the members whose interval holds v, ends included.
func (x *intervals[T]) around(v T, found []int32) []int32 { return x.search(0, len(x.all), v, found) }

// search appends those of the range [from, to). It leaves out a subtree that ends below v, and
// stops at the first interval that begins above v.
func (x *intervals[T]) search(from, to int, v T, found []int32) []int32 {
	for from < to {
		middle := (from + to) / 2
		if top := &x.all[x.highest[middle]]; !top.openHigh && top.high < v {
			return found
		}
		found = x.search(from, middle, v, found)
		at := &x.all[middle]
		if !at.openLow && at.low > v {
			return found
		}
		if at.openHigh || at.high >= v {
			found = append(found, at.member)
		}
		from = middle + 1
	}
	return found
}

// histogram counts how many intervals overlap at a value: a range over a crowded part of the values
// finds many others too, and so is a poor term to be found by. lows and highs are the ends, sorted
// by build; openLows counts the intervals without a lower end.
type histogram[T cmp.Ordered] struct {
	lows, highs []T
	openLows    int
}

// add counts an interval.
func (c *histogram[T]) add(v interval[T]) {
	if v.openLow {
		c.openLows++
	} else {
		c.lows = append(c.lows, v.low)
	}
	if !v.openHigh {
		c.highs = append(c.highs, v.high)
	}
}

// build sorts the ends; it must be called before of.
func (c *histogram[T]) build() {
	slices.Sort(c.lows)
	slices.Sort(c.highs)
}

// of returns how many intervals overlap at an end of v, at the more crowded one.
func (c *histogram[T]) of(v interval[T]) int {
	most := 0
	if !v.openLow {
		most = c.at(v.low)
	}
	if !v.openHigh {
		most = max(most, c.at(v.high))
	}
	return most
}

// at returns how many intervals hold v: those that begin at or below it minus those that end below
// it.
func (c *histogram[T]) at(v T) int {
	begun, found := slices.BinarySearch(c.lows, v)
	for found && begun < len(c.lows) && c.lows[begun] == v {
		begun++
	}
	over, _ := slices.BinarySearch(c.highs, v)
	return c.openLows + begun - over
}
