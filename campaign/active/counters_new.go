package active

import (
	"slices"
	"sort"
	"strings"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/unit"
)

// CounterRequest describes one counter that a set maintains, or the part of it that a newer set
// adds.
type CounterRequest struct {
	Event string `json:"Event"`
	// Where is the source of the condition; empty: every event of the name counts.
	Where string `json:"Where"`
	// Sums are the properties that are summed up, sorted.
	Sums []string `json:"Sums"`
	// Window is how far back the longest window looks, ms; 0: all that was counted.
	Window int64 `json:"Window"`
	// Counted says that the events were counted before: only the sums are new, or only
	// the window is longer.
	Counted bool `json:"Counted"`
}

// String describes the counter for people: "Order Completed (sum of total) of the last 30d".
func (a CounterRequest) String() string {
	text := a.Event
	if a.Where != "" {
		text += " where " + a.Where
	}
	if len(a.Sums) > 0 {
		text += " (sum of " + strings.Join(a.Sums, ", ") + ")"
	}
	if a.Window > 0 {
		text += " of the last " + unit.FormatDuration(a.Window)
	}
	return text
}

// asked lists all counters and windows that the set maintains, by event, condition and window.
func (s *Set) asked() []CounterRequest {
	var all []CounterRequest
	for event, specs := range s.Counters { //nudge:unordered sorted below
		for _, c := range specs {
			all = append(all, CounterRequest{Event: event, Where: expr.SourceOf(c.Where), Sums: c.Sums})
		}
	}
	for event, w := range s.Windows { //nudge:unordered sorted below
		all = append(all, CounterRequest{Event: event, Sums: w.Sums, Window: w.Longest})
	}
	sort.Slice(all, func(i, j int) bool {
		a, b := &all[i], &all[j]
		if a.Event != b.Event {
			return a.Event < b.Event
		}
		return a.Where < b.Where || a.Where == b.Where && a.Window < b.Window
	})
	return all
}

// NewAsks returns what s counts and old does not, that is what begins to be counted when s
// takes its place: whole counters, sums of further properties, longer windows.
func (s *Set) NewAsks(old *Set) []CounterRequest {
	var fresh []CounterRequest
	for _, a := range s.asked() {
		var before []string
		known, longest := false, int64(0)
		if a.Window > 0 {
			if w := old.Windows[a.Event]; w != nil {
				known, before, longest = true, w.Sums, w.Longest
			}
		} else {
			for _, c := range old.Counters[a.Event] {
				if c.ID == customer.CounterID(a.Event, a.Where) {
					known, before = true, c.Sums
				}
			}
		}
		if a.Counted = known; !known {
			fresh = append(fresh, a)
			continue
		}
		if a.Sums = unlisted(a.Sums, before); len(a.Sums) > 0 || a.Window > longest {
			fresh = append(fresh, a)
		}
	}
	return fresh
}

// unlisted returns the names that are not in other; both are sorted.
func unlisted(names, other []string) []string {
	var more []string
	for _, name := range names {
		if _, found := slices.BinarySearch(other, name); !found {
			more = append(more, name)
		}
	}
	return more
}

// CountsEvents reports whether a count trigger of the set fires by the counter a.
func (s *Set) CountsEvents(a CounterRequest) bool {
	for _, p := range s.Programs {
		if t, ok := p.Trigger.(*program.CountTrigger); ok && t.Event == a.Event && expr.SourceOf(t.Where) == a.Where {
			return true
		}
	}
	return false
}

// ID returns the id of the counter, by which the customer's state names it. It means nothing
// for a window, which is known by its event name.
func (a CounterRequest) ID() string { return customer.CounterID(a.Event, a.Where) }
