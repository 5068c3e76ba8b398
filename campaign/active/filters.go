package active

import (
	"sync"

	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/program"
)

// filters holds the indexes of a set besides those of triggers. Each is built when it is first
// needed, since many sets are replaced before they see an event of a name; mu makes that safe.
type filters struct {
	mu sync.Mutex
	// counters finds the counters of an event name by their conditions.
	counters map[string]*expr.Index
	// broadcasts finds the broadcast triggers of an event name by their audiences.
	broadcasts map[string]*expr.Index
	// profile finds the triggers that watch customers from their first record on; it has one index,
	// under the empty name.
	profile map[string]*expr.Index
}

// get returns the index of a name in one of the maps of f; the first call builds it, with add
// called for each of n members in order.
func (f *filters) get(
	all *map[string]*expr.Index,
	name string,
	n int,
	add func(b *expr.IndexBuilder, i int),
) *expr.Index {
	f.mu.Lock()
	defer f.mu.Unlock()
	if x := (*all)[name]; x != nil {
		return x
	}
	if *all == nil {
		*all = map[string]*expr.Index{}
	}
	b := expr.NewIndexBuilder()
	for i := range n {
		add(b, i)
	}
	x := b.Build()
	(*all)[name] = x
	return x
}

// CounterIndex returns the counters of an event name, in order, and the index of those that may
// count an event; a nil index means that each is to be evaluated, as it is when there is only
// one. The condition of one counter can read another that has just counted the same event, so
// the index does not find members by the values of counters.
func (s *Set) CounterIndex(event string) ([]*CounterSpec, *expr.Index) {
	specs := s.Counters[event]
	if len(specs) < 2 {
		return specs, nil
	}
	return specs, s.filters.get(&s.filters.counters, event, len(specs), func(b *expr.IndexBuilder, i int) {
		b.Moving = true
		b.Add(i, specs[i].Where)
	})
}

// BroadcastIndex returns the programs that wait for a broadcast of an event name, in order, and
// the index of those whose audience may hold for a customer; a nil index means that each is to
// be evaluated.
func (s *Set) BroadcastIndex(event string) ([]*program.Program, *expr.Index) {
	all := s.broadcasts[event]
	if len(all) < 2 {
		return all, nil
	}
	return all, s.filters.get(&s.filters.broadcasts, event, len(all), func(b *expr.IndexBuilder, i int) {
		var audience *expr.Expr
		if t, ok := all[i].Trigger.(*program.BroadcastTrigger); ok {
			audience = t.Audience
		}
		b.Add(i, audience)
	})
}

// ProfileIndex returns the programs that watch customers from their first record on, in order,
// and the index of those that have something to do about one; a nil index means that each is to
// be evaluated.
func (s *Set) ProfileIndex() ([]*program.Program, *expr.Index) {
	if len(s.profile) < 2 {
		return s.profile, nil
	}
	return s.profile, s.filters.get(&s.filters.profile, "", len(s.profile), func(b *expr.IndexBuilder, i int) {
		s.profile[i].Trigger.Newcomers()(b, i)
	})
}
