package campaign

import "sort"

// Dropped is the visit that makes customers forget what old counted and s does not; false
// when there is nothing. A counter that is asked for again begins anew.
func (s *Set) Dropped(old *Set) (v Visit, needed bool) {
	v.Kind = VisitForget
	for event, specs := range old.counters { //nudge:unordered sorted below
		for _, c := range specs {
			if !s.keeps(event, c.id) {
				v.Counters = append(v.Counters, c.id)
			}
		}
	}
	for event := range old.windows { //nudge:unordered sorted below
		if s.windows[event] == nil {
			v.Windows = append(v.Windows, event)
		}
	}
	sort.Strings(v.Counters)
	sort.Strings(v.Windows)
	return v, len(v.Counters)+len(v.Windows) > 0
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
}
