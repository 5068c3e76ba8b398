package machine

import (
	"sort"

	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/unit"
)

// sumsOf returns the amounts of the current event that are summed under the given properties. A value
// that is there and is no amount is recorded once for each customer, counter and property.
func (pf *profile) sumsOf(counter string, properties []string) []customer.Sum {
	var sums []customer.Sum
	for _, property := range properties {
		v := pf.scope.Event.Props.At(property)
		if v == nil || v.Type() == fastjson.TypeNull {
			continue
		}
		if amount, ok := unit.AmountOf(v); ok {
			sums = append(sums, customer.Sum{Property: property, Total: amount})
			continue
		}
		pf.out.noteOnce(output.ReasonNumber, "", counter+"."+property)
	}
	return sums
}

// count updates the counters that the set keeps for the event's name. First and Last are event times
// (ms): events may arrive out of order, so they are the smallest and largest.
func (pf *profile) count(e *event.Event) {
	for _, spec := range pf.counting(e.Name) {
		if spec.Where != nil && !pf.holds(spec.Where, "") {
			continue
		}
		// Count is 0 for a counter that was just made, whose First and Last mean nothing.
		c := pf.c.EnsureCounter(spec.ID)
		if c.Count == 0 || e.Time < c.First {
			c.First = e.Time
		}
		if c.Count == 0 || e.Time >= c.Last {
			c.Last = e.Time
		}
		c.Count++
		for _, s := range pf.sumsOf(e.Name, spec.Sums) {
			c.Add(s.Property, s.Total)
		}
	}
}

// countWindows updates the windowed counter of the event's name, if the set keeps one. Items older
// than the longest window that any campaign asks for are dropped.
func (pf *profile) countWindows(e *event.Event) {
	// One window of an event's name serves all campaigns: it is as long as the longest that any
	// asks for.
	spec := pf.set.Windows[e.Name]
	if spec == nil {
		return
	}
	pf.c.EnsureWindow(e.Name).Add(e.Time, pf.sumsOf(e.Name, spec.Sums), pf.now-spec.Longest)
}

// uncounted returns the ids of the counters that began after the customer was known, sorted: they
// may have missed what the customer did before.
func (pf *profile) uncounted() []string {
	ids := append([]string(nil), pf.c.Uncounted...)
	for _, specs := range pf.set.Counters { //nudge:unordered sorted below
		for _, spec := range specs {
			if pf.c.CreatedPlace < spec.Since {
				ids = append(ids, spec.ID)
			}
		}
	}
	return sortedSet(ids)
}

// historyUnknown reports whether a counter may have missed what the customer did before it began. A
// customer keeps the same of those who were merged into them, in Uncounted. A count trigger must
// not fire for such a customer: their fifth order may be their fiftieth.
func (pf *profile) historyUnknown(spec *active.CounterSpec) bool {
	i := sort.SearchStrings(pf.c.Uncounted, spec.ID)
	return pf.c.CreatedPlace < spec.Since || i < len(pf.c.Uncounted) && pf.c.Uncounted[i] == spec.ID
}

// sortedSet sorts texts in place and drops repetitions.
func sortedSet(all []string) []string {
	sort.Strings(all)
	kept := all[:0]
	for i, s := range all {
		if i == 0 || s != all[i-1] {
			kept = append(kept, s)
		}
	}
	return kept
}

// counting returns the counters that may count an event, in the order of the set. The index leaves
// out those whose condition cannot hold. The result is valid until the next call, which reuses its
// memory.
func (pf *profile) counting(event string) []*active.CounterSpec {
	specs, x := pf.set.CounterIndex(event)
	if x == nil || pf.unindexed {
		return specs
	}
	pf.counters, pf.specs = x.Find(pf.scope, pf.counters[:0]), pf.specs[:0]
	for _, i := range pf.counters {
		pf.specs = append(pf.specs, specs[i])
	}
	return pf.specs
}
