package active

import (
	"sort"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/program"
)

// windowSpec is one counter with a window that a set keeps.
type windowSpec struct {
	Longest int64    // ms
	Sums    []string // properties, sorted
}

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

// CounterSpec is one counter that the set keeps.
type CounterSpec struct {
	ID    string
	Where *expr.Expr
	Sums  []string // properties, sorted
	Since uint64   // place of the control record that asked first
}

// indexAsked keeps what the expressions and matchers of a program ask for.
func (s *Set) indexAsked(p *program.Program) {
	if !p.Noted { // it was not read from a text
		own := *p
		own.Note()
		p = &own
	}
	for _, name := range p.Hears {
		s.Ringed[name] = true
	}
	for _, ask := range p.Asks {
		if ask.Window > 0 {
			s.askWindow(ask)
			continue
		}
		s.askCounter(ask.Event, nil, ask.Sum)
	}
}

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

// CounterSpecFor is the spec of a counter, nil when the set keeps none of it.
func (s *Set) CounterSpecFor(event string, where *expr.Expr) *CounterSpec {
	return s.specs[customer.CounterID(event, expr.SourceOf(where))]
}

// askTrigger keeps the counter that a program's trigger needs.
func (s *Set) askTrigger(p *program.Program) {
	if event, where, ok := p.Trigger.Counter(); ok { // else its expressions ask for what it counts
		s.askCounter(event, where, "")
	}
}

// sortCounters brings the counters of each event name into their order.
func (s *Set) sortCounters() {
	for _, specs := range s.Counters { //nudge:unordered each is handled alone
		sort.Slice(specs, func(i, j int) bool { return specs[i].ID < specs[j].ID })
	}
}
