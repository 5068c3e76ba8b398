package campaign

import (
	"math"
	"slices"
)

// valued appends the places of all segments and thresholds, in order.
func (w *watchers) valued(found []int32) []int32 {
	for _, i := range w.looking { //nudge:unordered sorted below
		found = append(found, i)
	}
	slices.Sort(found)
	return found
}

// look appends the segments and thresholds whose value before a record has to be known,
// in order, and measures the thresholds. A customer who is new was in no segment.
func (w *watchers) look(s *scope, c *Customer, created bool, h *heights, found []int32) []int32 {
	found = append(found, w.clocks...)
	if !created {
		found = w.segments.find(s, found)
	}
	for i := range c.Levels { // what is remembered of them may have to be forgotten
		if at, ok := w.looking[c.Levels[i].Campaign]; ok {
			found = append(found, at)
		}
	}
	h.reset()
	h.in = w.byLevel.find(s, h.in[:0])
	for _, i := range h.in {
		l := w.levels[i]
		before := l.measure(s)
		if before.failed { // each of them says so
			found = append(found, l.members...)
		}
		h.all = append(h.all, before)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// concerned adds the programs that may do something about a record to those in found, and
// sorts them. The record changed the customer, whose traits were seen before; event says
// whether the programs see an event.
func (w *watchers) concerned(s *scope, c *Customer, seen []byte, event bool, h *heights, found []int32) []int32 {
	if event {
		found = w.events.find(s, found)
	}
	if len(w.looking) > 0 {
		found = w.segments.find(s, found)
		found = w.crossed(s, h, found)
	}
	found = w.dates.find(s, found)
	if len(w.dates.open) < len(w.programs) { // a date that is gone takes back what is planned
		found = w.planned(c, found)
	}
	found = w.changes.find(s, c.Traits, seen, found)
	slices.Sort(found)
	return slices.Compact(found)
}

// crossed appends the thresholds that the value may have crossed.
func (w *watchers) crossed(s *scope, h *heights, found []int32) []int32 {
	h.in = w.byLevel.find(s, h.in[:0])
	for i := range h.all { // also what is missing now
		h.in = append(h.in, int32(slices.Index(w.levels, h.all[i].levels)))
	}
	slices.Sort(h.in)
	for _, i := range slices.Compact(h.in) {
		l := w.levels[i]
		before, after := h.of(l.value), l.measure(s)
		switch {
		case before.failed || after.failed || after.odd || before.known != after.known,
			math.IsNaN(before.value) || math.IsNaN(after.value):
			found = append(found, l.members...)
		case before.known:
			low, high := min(before.value, after.value), max(before.value, after.value)
			found = append(found, l.between(low, high)...)
		default: // missing then and now; what is remembered is found by its level
		}
	}
	return found
}

// everything appends the places of all programs.
func (w *watchers) everything(found []int32) []int32 {
	for i := range w.programs {
		found = append(found, int32(i))
	}
	return found
}

// planned appends the campaigns for which dates of the customer are planned or were.
func (w *watchers) planned(c *Customer, found []int32) []int32 {
	for i := range c.Dates {
		if i > 0 && c.Dates[i].Campaign == c.Dates[i-1].Campaign {
			continue
		}
		at, ok := slices.BinarySearchFunc(w.programs, c.Dates[i].Campaign, func(p *Program, name string) int {
			return compareNames(p.Name, name)
		})
		if ok {
			found = append(found, int32(at))
		}
	}
	return found
}
