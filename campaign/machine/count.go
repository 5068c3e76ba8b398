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

// sumsOf are the amounts of an event that are summed under the given properties. What is
// there and is no amount is noted once a customer, counter and property.
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

// count updates the counters that the set keeps for the event's name.
func (pf *profile) count(e *event.Event) {
	for _, spec := range pf.counting(e.Name) {
		if spec.Where != nil && !pf.holds(spec.Where, "") {
			continue
		}
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

// countWindows updates the counter with a window of the event's name, if the set keeps
// one.
func (pf *profile) countWindows(e *event.Event) {
	spec := pf.set.Windows[e.Name]
	if spec == nil {
		return
	}
	pf.c.EnsureWindow(e.Name).Add(e.Time, pf.sumsOf(e.Name, spec.Sums), pf.now-spec.Longest)
}

// uncounted are the counters that began after the customer was known.
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

// historyUnknown says whether a counter missed what the customer did before it began.
func (pf *profile) historyUnknown(spec *active.CounterSpec) bool {
	i := sort.SearchStrings(pf.c.Uncounted, spec.ID)
	return pf.c.CreatedPlace < spec.Since || i < len(pf.c.Uncounted) && pf.c.Uncounted[i] == spec.ID
}

// sortedSet sorts texts and drops repetitions.
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

// counting are the counters that may count an event, in order.
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
