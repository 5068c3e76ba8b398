package campaign

import "sync"

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

// counterIndex are the counters of an event name, in order, and the index of those that may
// count an event; nil where each is to be asked. One counter can look at another that has
// just counted, so the counters themselves are no term to find them by.
func (s *Set) counterIndex(event string) ([]*counterSpec, *termIndex) {
	specs := s.counters[event]
	if len(specs) < 2 {
		return specs, nil
	}
	return specs, s.filters.get(&s.filters.counters, event, len(specs), func(b *indexBuilder, i int) {
		b.moving = true
		b.add(i, specs[i].where)
	})
}

// broadcastIndex are the programs that wait for a broadcast, in order, and the index of those
// whose audience may hold; nil where each is to be asked.
func (s *Set) broadcastIndex(event string) ([]*Program, *termIndex) {
	all := s.broadcasts[event]
	if len(all) < 2 {
		return all, nil
	}
	return all, s.filters.get(&s.filters.broadcasts, event, len(all), func(b *indexBuilder, i int) {
		var audience *Expr
		if t, ok := all[i].Trigger.(*BroadcastTrigger); ok {
			audience = t.Audience
		}
		b.add(i, audience)
	})
}

// profileIndex are the programs that watch customers from their first record on, in order,
// and the index of those that have something to do about one; nil where each is to be asked.
func (s *Set) profileIndex() ([]*Program, *termIndex) {
	if len(s.profile) < 2 {
		return s.profile, nil
	}
	return s.profile, s.filters.get(&s.filters.profile, "", len(s.profile), func(b *indexBuilder, i int) {
		switch t := s.profile[i].Trigger.(type) {
		case *DateTrigger:
			b.add(i, nil, t.Path.there()...)
		case *InactivityTrigger:
			b.add(i, nil, counted(counterID(t.Event, sourceOf(t.Where)), 0))
		default:
			b.add(i, nil)
		}
	})
}
