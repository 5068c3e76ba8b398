package campaign

import (
	"cmp"
	"slices"
	"sort"
	"strings"
)

// Dropped is the visit that makes customers forget what old counted and s does not, and what
// the triggers of old remember that s has no more; false when there is nothing. What is asked
// for again begins anew.
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
	for name, p := range old.byName { //nudge:unordered sorted below
		if spec := p.remembers(); spec != 0 && s.byName[name].remembers() != spec {
			v.Counters = append(v.Counters, stateID(name))
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

// stateID names what the trigger of a campaign remembers, among the ids of counters.
func stateID(campaign string) string { return "\x00trigger\x00" + campaign }

func (s *Set) keeps(event, id string) bool {
	for _, c := range s.counters[event] {
		if c.id == id {
			return true
		}
	}
	return false
}
