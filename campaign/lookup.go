package campaign

import (
	"math"
	"slices"

	"github.com/valyala/fastjson"
)

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

// height is the value that thresholds measure, before a record.
type height struct {
	levels *levels
	value  float64
	known  bool
	failed bool // could not be computed, for another reason than a missing value
	odd    bool // is there and is no number, which is recorded once
}

// measure computes the present value of thresholds.
func (m *Machine) measure(l *levels) height {
	v, missing, err := l.value.eval(m.scope)
	if err != nil || missing {
		return height{levels: l, failed: err != nil}
	}
	value, known := asNumber(v)
	return height{levels: l, value: value, known: known, odd: !known}
}

// heightOf is what was measured of a value before the record; unknown when it was
// missing.
func (m *Machine) heightOf(value *Expr) height {
	for i := range m.heights {
		if m.heights[i].levels.value.Source == value.Source {
			return m.heights[i]
		}
	}
	return height{}
}

// crossed appends the thresholds that the value may have crossed.
func (w *watchers) crossed(m *Machine, found []int32) []int32 {
	m.inLevels = w.byLevel.find(m.scope, m.inLevels[:0])
	for i := range m.heights { // also what is missing now
		m.inLevels = append(m.inLevels, int32(slices.Index(w.levels, m.heights[i].levels)))
	}
	slices.Sort(m.inLevels)
	for _, i := range slices.Compact(m.inLevels) {
		l := w.levels[i]
		before, after := m.heightOf(l.value), m.measure(l)
		switch {
		case before.failed || after.failed || after.odd || before.known != after.known,
			math.IsNaN(before.value) || math.IsNaN(after.value):
			found = append(found, l.members...)
		case before.known:
			low, high := min(before.value, after.value), max(before.value, after.value)
			found = append(found, l.between(low, high)...)
		default: // missing then and now; what is remembered is found by its level
		}
	}
	return found
}

// find appends the triggers of the attributes that are others than when triggers last
// looked.
func (x *changeIndex) find(m *Machine, found []int32) []int32 {
	if len(x.any) == 0 && len(x.name) == 0 || string(m.seenTraits) == string(m.c.Traits) {
		return found
	}
	found = append(found, x.any...)
	if len(x.name) == 0 {
		return found
	}
	var old lazyJSON
	old.reset(m.seenTraits)
	before, after := old.object(), m.scope.customer.traits.object()
	visit := func(key []byte, _ *fastjson.Value) {
		at := x.name[string(key)]
		if at == nil {
			return
		}
		was, is := memberOf(before, string(key)), memberOf(after, string(key))
		if was == nil && is == nil || equalJSON(was, is) {
			return
		}
		found = append(append(found, at.any...), at.to[equalToJSON(is)]...)
	}
	if before != nil {
		before.Visit(visit)
	}
	if after != nil {
		after.Visit(visit)
	}
	return found
}

// look appends the segments and thresholds whose value before a record has to be known,
// in order. A customer who is new was in no segment.
func (w *watchers) look(m *Machine, created bool, found []int32) []int32 {
	if w.all || m.trace != nil { // who asks why is told of each
		for _, i := range w.looking { //nudge:unordered sorted below
			found = append(found, i)
		}
		slices.Sort(found)
		return found
	}
	found = append(found, w.clocks...)
	if !created {
		found = w.segments.find(m.scope, found)
	}
	for i := range m.c.Levels { // what is remembered of them may have to be forgotten
		if at, ok := w.looking[m.c.Levels[i].Campaign]; ok {
			found = append(found, at)
		}
	}
	m.heights = m.heights[:0]
	m.inLevels = w.byLevel.find(m.scope, m.inLevels[:0])
	for _, i := range m.inLevels {
		l := w.levels[i]
		h := m.measure(l)
		if h.failed { // each of them says so
			found = append(found, l.members...)
		}
		m.heights = append(m.heights, h)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// concerned appends the programs that may do something about a record, in order, after
// it changed the customer; event says whether they see one.
func (w *watchers) concerned(m *Machine, event bool, found []int32) []int32 {
	if w.all || m.trace != nil { // who asks why is told of each
		return w.everything(found)
	}
	if event {
		found = w.events.find(m.scope, found)
	}
	for i := range m.before {
		found = append(found, m.before[i].at)
	}
	if len(w.looking) > 0 {
		found = w.segments.find(m.scope, found)
		found = w.crossed(m, found)
	}
	found = w.dates.find(m.scope, found)
	if len(w.dates.open) < len(w.programs) { // a date that is gone takes back what is planned
		found = w.planned(m.c, found)
	}
	found = w.changes.find(m, found)
	slices.Sort(found)
	return slices.Compact(found)
}
