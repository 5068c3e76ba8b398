package active

import (
	"math"
	"slices"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/program"
)

// Valued appends the places of all segments and thresholds, in ascending order.
func (w *TriggerIndex) Valued(found []int32) []int32 {
	for _, i := range w.Looking { //nudge:unordered sorted below
		found = append(found, i)
	}
	slices.Sort(found)
	return found
}

// Look appends the places, ascending and each once, of the segments and thresholds whose value
// before a record must be known, and measures the thresholds into h. It must be called before
// the record changes the customer. A customer whom the record creates was in no segment.
func (w *TriggerIndex) Look(s *expr.Scope, c *customer.Customer, created bool, h *ValuesBefore, found []int32) []int32 {
	found = append(found, w.clocks...)
	if !created {
		found = w.segments.Find(s, found)
	}
	for i := range c.Levels { // what is remembered of them may have to be forgotten
		if at, ok := w.Looking[c.Levels[i].Campaign]; ok {
			found = append(found, at)
		}
	}
	h.Reset()
	h.in = w.byLevel.Find(s, h.in[:0])
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

// Candidates appends the programs that may do something about a record to found, sorted and
// each once. It must be called after the record changed the customer, whose traits were seen
// before; event says whether the record is an event that the programs see; h is what Look
// measured.
func (w *TriggerIndex) Candidates(
	s *expr.Scope,
	c *customer.Customer,
	seen []byte,
	event bool,
	h *ValuesBefore,
	found []int32,
) []int32 {
	if event {
		found = w.events.Find(s, found)
	}
	if len(w.Looking) > 0 {
		found = w.segments.Find(s, found)
		found = w.crossed(s, h, found)
	}
	found = w.dates.Find(s, found)
	if len(w.dates.Unindexed) < len(w.Programs) { // a date that is gone takes back what is planned
		found = w.planned(c, found)
	}
	found = w.changes.find(s, c.Traits, seen, found)
	slices.Sort(found)
	return slices.Compact(found)
}

// crossed appends the thresholds that the value may have crossed: those between the value
// before and after the record. All of the group are returned where the value appeared, vanished
// or failed.
func (w *TriggerIndex) crossed(s *expr.Scope, h *ValuesBefore, found []int32) []int32 {
	h.in = w.byLevel.Find(s, h.in[:0])
	for i := range h.all { // also what is missing now
		h.in = append(h.in, int32(slices.Index(w.levels, h.all[i].levels)))
	}
	slices.Sort(h.in)
	for _, i := range slices.Compact(h.in) {
		l := w.levels[i]
		before, after := h.Of(l.value), l.measure(s)
		switch {
		case before.failed || after.failed || after.odd || before.Known != after.Known,
			math.IsNaN(before.Value) || math.IsNaN(after.Value):
			found = append(found, l.members...)
		case before.Known:
			low, high := min(before.Value, after.Value), max(before.Value, after.Value)
			found = append(found, l.between(low, high)...)
		default: // missing then and now; what is remembered is found by its level
		}
	}
	return found
}

// Everything appends the places of all programs.
func (w *TriggerIndex) Everything(found []int32) []int32 {
	for i := range w.Programs {
		found = append(found, int32(i))
	}
	return found
}

// planned appends the campaigns for which the customer's state has dates: their triggers must
// look even if the date is missing now, to cancel what was planned.
func (w *TriggerIndex) planned(c *customer.Customer, found []int32) []int32 {
	for i := range c.Dates {
		if i > 0 && c.Dates[i].Campaign == c.Dates[i-1].Campaign {
			continue
		}
		at, ok := slices.BinarySearchFunc(w.Programs, c.Dates[i].Campaign, func(p *program.Program, name string) int {
			return compareNames(p.Name, name)
		})
		if ok {
			found = append(found, int32(at))
		}
	}
	return found
}
