package campaign

import (
	"cmp"
	"slices"
	"sort"
	"strings"
)

// Dropped is the visit that makes customers forget what old counted and s does not; false
// when there is nothing. A counter that is asked for again begins anew.
func (s *Set) Dropped(old *Set) (v Visit, needed bool) {
	v.Kind = VisitForget
	for event, specs := range old.counters { //nudge:unordered sorted below
		for _, c := range specs {
			if !s.keeps(event, c.id) {
				v.Counters = append(v.Counters, c.id)
				continue
			}
			for _, property := range unlisted(c.sums, s.specs[c.id].sums) {
				v.Sums = append(v.Sums, DroppedSum{Counter: c.id, Property: property})
			}
		}
	}
	for event, w := range old.windows { //nudge:unordered sorted below
		if s.windows[event] == nil {
			v.Windows = append(v.Windows, event)
			continue
		}
		for _, property := range unlisted(w.sums, s.windows[event].sums) {
			v.Sums = append(v.Sums, DroppedSum{Window: event, Property: property})
		}
	}
	sort.Strings(v.Counters)
	sort.Strings(v.Windows)
	slices.SortFunc(v.Sums, func(a, b DroppedSum) int {
		return cmp.Or(strings.Compare(a.Counter, b.Counter), strings.Compare(a.Window, b.Window),
			strings.Compare(a.Property, b.Property))
	})
	return v, len(v.Counters)+len(v.Windows)+len(v.Sums) > 0
}

// DroppedSum is the sum of a property that nothing asks for any more, of a counter (by id)
// or of the windows of an event.
type DroppedSum struct{ Counter, Window, Property string }

// forgetSum drops a sum of what is counted on.
func (c *Customer) forgetSum(d DroppedSum) {
	without := func(sums []Sum) []Sum {
		return slices.DeleteFunc(sums, func(s Sum) bool { return s.Property == d.Property })
	}
	if d.Window == "" {
		if counter := c.counter(d.Counter); counter != nil {
			counter.Sums = without(counter.Sums)
		}
		return
	}
	if w := c.window(d.Window); w != nil {
		for i := range w.Items {
			w.Items[i].Sums = without(w.Items[i].Sums)
		}
	}
}

func (s *Set) keeps(event, id string) bool {
	for _, c := range s.counters[event] {
		if c.id == id {
			return true
		}
	}
	return false
}

// forget drops counters that nothing asks for any more.
func (c *Customer) forget(v *Visit) {
	counters := c.Counters[:0]
	for i := range c.Counters {
		if !listed(v.Counters, c.Counters[i].ID) {
			counters = append(counters, c.Counters[i])
		}
	}
	c.Counters = counters
	windows := c.Windows[:0]
	for i := range c.Windows {
		if !listed(v.Windows, c.Windows[i].Event) {
			windows = append(windows, c.Windows[i])
		}
	}
	c.Windows = windows
	for _, d := range v.Sums {
		c.forgetSum(d)
	}
}
