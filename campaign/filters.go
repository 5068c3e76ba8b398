package campaign

import (
	"sort"
	"sync"
)

// filters are the indexes of a set besides those of triggers. Each is made when it is
// first needed.
type filters struct {
	mu         sync.Mutex
	counters   map[string]*termIndex // of the counters of an event name
	broadcasts map[string]*termIndex // of the audiences of the broadcasts of an event name
	profile    map[string]*termIndex // of those that watch newcomers, under the empty name
}

// get is the index of a name, made by add from n members when it is needed first.
func (f *filters) get(all *map[string]*termIndex, name string, n int, add func(b *indexBuilder, i int)) *termIndex {
	f.mu.Lock()
	defer f.mu.Unlock()
	if x := (*all)[name]; x != nil {
		return x
	}
	if *all == nil {
		*all = map[string]*termIndex{}
	}
	b := newIndexBuilder()
	for i := range n {
		add(b, i)
	}
	x := b.build()
	(*all)[name] = x
	return x
}

// sortCounters brings the counters of each event name into their order.
func (s *Set) sortCounters() {
	for _, specs := range s.counters { //nudge:unordered each is handled alone
		sort.Slice(specs, func(i, j int) bool { return specs[i].id < specs[j].id })
	}
}

// counting are the counters that may count an event, in order. One can look at another
// that has just counted, so the counters themselves are no term to find them by.
func (s *Set) counting(m *Machine, event string) []*counterSpec {
	specs := s.counters[event]
	if len(specs) < 2 || s.unindexed {
		return specs
	}
	x := s.filters.get(&s.filters.counters, event, len(specs), func(b *indexBuilder, i int) {
		b.moving = true
		b.add(i, specs[i].where)
	})
	m.found, m.specs = x.find(m.scope, m.found[:0]), m.specs[:0]
	for _, i := range m.found {
		m.specs = append(m.specs, specs[i])
	}
	return m.specs
}

// broadcasting are the programs whose audience may hold for a broadcast, in order.
func (s *Set) broadcasting(m *Machine, event string) []*Program {
	all := s.broadcasts[event]
	if len(all) < 2 || s.unindexed || m.trace != nil {
		return all
	}
	x := s.filters.get(&s.filters.broadcasts, event, len(all), func(b *indexBuilder, i int) {
		var audience *Expr
		if t, ok := all[i].Trigger.(*BroadcastTrigger); ok {
			audience = t.Audience
		}
		b.add(i, audience)
	})
	return m.pick(all, x)
}

// newcomers are the programs that watch customers from their first record on and have
// something to do about one, in order.
func (s *Set) newcomers(m *Machine) []*Program {
	if len(s.profile) < 2 || s.unindexed {
		return s.profile
	}
	x := s.filters.get(&s.filters.profile, "", len(s.profile), func(b *indexBuilder, i int) {
		switch t := s.profile[i].Trigger.(type) {
		case *DateTrigger:
			b.add(i, nil, t.Path.there()...)
		case *InactivityTrigger:
			b.add(i, nil, counted(counterID(t.Event, sourceOf(t.Where)), 0))
		default:
			b.add(i, nil)
		}
	})
	return m.pick(s.profile, x)
}

// pick is those of the programs that an index finds. It is valid until the next call.
func (m *Machine) pick(all []*Program, x *termIndex) []*Program {
	m.found, m.programs = x.find(m.scope, m.found[:0]), m.programs[:0]
	for _, i := range m.found {
		m.programs = append(m.programs, all[i])
	}
	return m.programs
}
