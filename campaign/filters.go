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
