package active

import (
	"sort"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/program"
)

// windowSpec describes what the set keeps of the recent events of one name: one window serves
// all expressions that look back, so it is as long as the longest of them.
type windowSpec struct {
	// Longest is how far back the longest of them looks, ms.
	Longest int64
	// Sums are the properties that are summed up, sorted.
	Sums []string
}

// askWindow extends the window of an event name so that it can answer ask.
func (s *Set) askWindow(ask expr.CounterAsk) {
	spec := s.Windows[ask.Event]
	if spec == nil {
		spec = new(windowSpec)
		s.Windows[ask.Event] = spec
	}
	spec.Longest = max(spec.Longest, ask.Window)
	if i := sort.SearchStrings(spec.Sums, ask.Sum); ask.Sum != "" && (i == len(spec.Sums) || spec.Sums[i] != ask.Sum) {
		spec.Sums = append(spec.Sums, ask.Sum)
		sort.Strings(spec.Sums)
	}
}

// CounterSpec describes one counter that the set maintains for each customer.
type CounterSpec struct {
	// ID is made of the event name and the source of Where (customer.CounterID).
	ID string
	// Where is the condition for an event to count; nil: every event of the name counts.
	Where *expr.Expr
	// Sums are the properties that are summed up, sorted.
	Sums []string
	// Since is the place in the log of the control record that asked for it first: events before it
	// were not counted.
	Since uint64
}

// indexAsked records which counters and windows the expressions of a program read, and which
// event names its goals, stops and waits listen for.
func (s *Set) indexAsked(p *program.Program) {
	if !p.Noted { // it was not read from a text
		own := *p
		own.Note()
		p = &own
	}
	for _, name := range p.Hears {
		s.Recorded[name] = true
	}
	for _, ask := range p.Asks {
		if ask.Window > 0 {
			s.askWindow(ask)
			continue
		}
		s.askCounter(ask.Event, nil, ask.Sum)
	}
}

// askCounter adds a counter, if the set has none with the id, and the property sum to what it
// sums; an empty sum adds none. Counters that have the same event and condition are one
// counter.
func (s *Set) askCounter(event string, where *expr.Expr, sum string) {
	id := customer.CounterID(event, expr.SourceOf(where))
	spec := s.specs[id]
	if spec == nil {
		spec = &CounterSpec{ID: id, Where: where}
		s.specs[id] = spec
		s.Counters[event] = append(s.Counters[event], spec)
	}
	if sum == "" {
		return
	}
	if i := sort.SearchStrings(spec.Sums, sum); i == len(spec.Sums) || spec.Sums[i] != sum {
		spec.Sums = append(spec.Sums, "")
		copy(spec.Sums[i+1:], spec.Sums[i:])
		spec.Sums[i] = sum
	}
}

// CounterSpecFor returns the spec of the counter of an event name and a condition (nil: none),
// nil if the set maintains no such counter.
func (s *Set) CounterSpecFor(event string, where *expr.Expr) *CounterSpec {
	return s.specs[customer.CounterID(event, expr.SourceOf(where))]
}

// askTrigger adds the counter that a program's trigger needs for itself, if it needs one.
func (s *Set) askTrigger(p *program.Program) {
	if event, where, ok := p.Trigger.Counter(); ok { // else its expressions ask for what it counts
		s.askCounter(event, where, "")
	}
}

// sortCounters sorts the counters of each event name by id. The order in which they count must
// not depend on the order of programs, since the condition of one can read another.
func (s *Set) sortCounters() {
	for _, specs := range s.Counters { //nudge:unordered each is handled alone
		sort.Slice(specs, func(i, j int) bool { return specs[i].ID < specs[j].ID })
	}
}
