package active

import (
	"cmp"
	"slices"
	"sort"
	"strings"
)

// DroppedCounters returns the bulk task that deletes from all customers the counters, windows and
// sums of old that s no longer maintains, and the state of triggers that are gone or mean something
// else now; needed is false if there are none. What is asked for again later begins at zero.
// Deleting them keeps the state of customers from growing with every campaign that there ever was.
func (s *Set) DroppedCounters(old *Set) (v BulkTask, needed bool) {
	v.Kind = BulkForget
	for event, specs := range old.Counters { //nudge:unordered sorted below
		for _, c := range specs {
			if !s.keeps(event, c.ID) {
				v.Counters = append(v.Counters, c.ID)
				continue
			}
			for _, property := range unlisted(c.Sums, s.specs[c.ID].Sums) {
				v.Sums = append(v.Sums, DroppedCounter{Counter: c.ID, Property: property})
			}
		}
	}
	for event, w := range old.Windows { //nudge:unordered sorted below
		if s.Windows[event] == nil {
			v.Windows = append(v.Windows, event)
			continue
		}
		for _, property := range unlisted(w.Sums, s.Windows[event].Sums) {
			v.Sums = append(v.Sums, DroppedCounter{Window: event, Property: property})
		}
	}
	for name, p := range old.ByName { //nudge:unordered sorted below
		if spec := p.Remembers(); spec != 0 && s.ByName[name].Remembers() != spec {
			v.Counters = append(v.Counters, StateID(name))
		}
	}
	sort.Strings(v.Counters)
	sort.Strings(v.Windows)
	slices.SortFunc(v.Sums, func(a, b DroppedCounter) int {
		return cmp.Or(strings.Compare(a.Counter, b.Counter), strings.Compare(a.Window, b.Window),
			strings.Compare(a.Property, b.Property))
	})
	return v, len(v.Counters)+len(v.Windows)+len(v.Sums) > 0
}

// StateID returns the name, among the ids of counters, of what the trigger of a campaign
// remembers. The zero byte in front keeps it apart from ids of counters.
func StateID(campaign string) string { return "\x00trigger\x00" + campaign }

// keeps reports whether s still maintains the counter with an id, of events with the name event.
func (s *Set) keeps(event, id string) bool {
	for _, c := range s.Counters[event] {
		if c.ID == id {
			return true
		}
	}
	return false
}
