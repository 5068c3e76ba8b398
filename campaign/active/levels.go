package active

import (
	"sort"

	"github.com/nudge-engine/nudge/campaign/expr"
)

// thresholdGroup holds the threshold triggers that measure the same value, so that it is
// evaluated once for all of them. The limits are sorted, and members[i] is the program with the
// limit at[i].
type thresholdGroup struct {
	// value is the expression of the number.
	value *expr.Expr
	// members and at are parallel, sorted by at.
	members []int32
	at      []float64
}

// Len, Less and Swap sort the thresholds of a value.
func (l *thresholdGroup) Len() int { return len(l.at) }

func (l *thresholdGroup) Less(i, j int) bool { return l.at[i] < l.at[j] }

func (l *thresholdGroup) Swap(i, j int) {
	l.at[i], l.at[j] = l.at[j], l.at[i]
	l.members[i], l.members[j] = l.members[j], l.members[i]
}

// between returns the members whose limit is from low to high, both included.
func (l *thresholdGroup) between(low, high float64) []int32 {
	from := sort.SearchFloat64s(l.at, low)
	to := from + sort.Search(len(l.at)-from, func(i int) bool { return l.at[from+i] > high })
	return l.members[from:to]
}

// valueBefore is the value that thresholds measure, before a record.
type valueBefore struct {
	levels *thresholdGroup
	Value  float64
	Known  bool
	// failed says that it could not be computed, for another reason than a missing value.
	failed bool
	// odd says that the value exists but is not a number, which each trigger records once.
	odd bool
}

// measure evaluates the value of the group in the scope.
func (l *thresholdGroup) measure(s *expr.Scope) valueBefore {
	v, missing, err := l.value.Eval(s)
	if err != nil || missing {
		return valueBefore{levels: l, failed: err != nil}
	}
	value, known := expr.AsNumber(v)
	return valueBefore{levels: l, Value: value, Known: known, odd: !known}
}

// ValuesBefore holds what the thresholds measured before a record. It is reused from one record
// to the next to save memory, and belongs to one goroutine.
type ValuesBefore struct {
	all []valueBefore
	// in is scratch memory: the groups that an index found.
	in []int32
}

// Reset empties h for the next record.
func (h *ValuesBefore) Reset() { h.all = h.all[:0] }

// Of returns what was measured of a value before the record; Known is false if it was missing.
func (h *ValuesBefore) Of(value *expr.Expr) valueBefore {
	for i := range h.all {
		if h.all[i].levels.value.Source == value.Source {
			return h.all[i]
		}
	}
	return valueBefore{}
}
