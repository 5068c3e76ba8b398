package expr

import (
	"cmp"
	"slices"
)

// interval is the range of values that a member takes; an end that is open has no bound.
type interval[T cmp.Ordered] struct {
	low, high         T
	openLow, openHigh bool
	member            int32
}

// intervals finds those that hold a value in logarithmic time and as many steps more as
// are found, or nearly so. It is immutable after build.
//
// Invariant: all is sorted by the lower end; highest[i] is the place of the interval with
// the highest upper end of the subtree whose root is i (the middle of its range).
type intervals[T cmp.Ordered] struct {
	all     []interval[T]
	highest []int32
}

func (x *intervals[T]) add(v interval[T]) { x.all = append(x.all, v) }

// build makes the intervals ready to be asked.
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

// raise fills in highest for the subtree of a range and returns its value.
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

func (x *intervals[T]) higher(i, j int32) bool {
	a, b := &x.all[i], &x.all[j]
	return !b.openHigh && (a.openHigh || a.high > b.high)
}

// around appends the members whose interval holds v, ends included.
func (x *intervals[T]) around(v T, found []int32) []int32 { return x.search(0, len(x.all), v, found) }

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

// histogram is how many intervals of a list hold a value: a measure of how little a range
// tells. lows and highs are the sorted ends, open ends apart.
type histogram[T cmp.Ordered] struct {
	lows, highs []T
	openLows    int
}

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

func (c *histogram[T]) build() {
	slices.Sort(c.lows)
	slices.Sort(c.highs)
}

// of is the larger count at the two ends of an interval.
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

func (c *histogram[T]) at(v T) int {
	begun, found := slices.BinarySearch(c.lows, v)
	for found && begun < len(c.lows) && c.lows[begun] == v {
		begun++
	}
	over, _ := slices.BinarySearch(c.highs, v)
	return c.openLows + begun - over
}
