package campaign

import "sort"

// windowSpec is one counter with a window that a set keeps.
type windowSpec struct {
	longest int64    // ms
	sums    []string // properties, sorted
}

func (s *Set) askWindow(ask counterAsk) {
	spec := s.windows[ask.event]
	if spec == nil {
		spec = new(windowSpec)
		s.windows[ask.event] = spec
	}
	spec.longest = max(spec.longest, ask.window)
	if i := sort.SearchStrings(spec.sums, ask.sum); ask.sum != "" && (i == len(spec.sums) || spec.sums[i] != ask.sum) {
		spec.sums = append(spec.sums, ask.sum)
		sort.Strings(spec.sums)
	}
}

// counterSpec is one counter that the set keeps.
type counterSpec struct {
	id    string
	where *Expr
	sums  []string // properties, sorted
	since uint64   // place of the control record that asked first
}

// indexAsked keeps what the expressions and matchers of a program ask for.
func (s *Set) indexAsked(p *Program) {
	if !p.noted { // it was not read from a text
		own := *p
		own.note()
		p = &own
	}
	for _, name := range p.hears {
		s.ringed[name] = true
	}
	for _, ask := range p.asks {
		if ask.window > 0 {
			s.askWindow(ask)
			continue
		}
		s.askCounter(ask.event, nil, ask.sum)
	}
}

func (s *Set) askCounter(event string, where *Expr, sum string) {
	id := counterID(event, sourceOf(where))
	spec := s.specs[id]
	if spec == nil {
		spec = &counterSpec{id: id, where: where}
		s.specs[id] = spec
		s.counters[event] = append(s.counters[event], spec)
	}
	if sum == "" {
		return
	}
	if i := sort.SearchStrings(spec.sums, sum); i == len(spec.sums) || spec.sums[i] != sum {
		spec.sums = append(spec.sums, "")
		copy(spec.sums[i+1:], spec.sums[i:])
		spec.sums[i] = sum
	}
}

// counterSpecFor is the spec of a counter, nil when the set keeps none of it.
func (s *Set) counterSpecFor(event string, where *Expr) *counterSpec {
	return s.specs[counterID(event, sourceOf(where))]
}

// askTrigger keeps the counter that a program's trigger needs.
func (s *Set) askTrigger(p *Program) {
	switch t := p.Trigger.(type) {
	case *CountTrigger:
		s.askCounter(t.Event, t.Where, "")
	case *InactivityTrigger:
		s.askCounter(t.Event, t.Where, "")
	default: // its expressions ask for what it counts
	}
}

// sortCounters brings the counters of each event name into their order.
func (s *Set) sortCounters() {
	for _, specs := range s.counters { //nudge:unordered each is handled alone
		sort.Slice(specs, func(i, j int) bool { return specs[i].id < specs[j].id })
	}
}
