package campaign

import (
	"slices"
	"sort"
	"sync"

	"github.com/google/cel-go/common/types"
)

// watchers are the programs whose trigger looks at events of one name, indexed by what
// they ask: whoever is not found would do nothing at all. It is immutable and safe for
// concurrent use.
type watchers struct {
	programs []*Program // by name; the indexes give places in it
	// all says that none is to be left out: tests compare with it.
	all bool

	events   *termIndex // that look at the event
	clocks   []int32    // segments and thresholds whose value changes with time alone
	segments *termIndex // the other segments
	levels   []*levels  // the other thresholds, by what they measure
	byLevel  *termIndex // finds levels whose value is there
	dates    *termIndex
	changes  changeIndex
	// looking are the places of segments and thresholds, by campaign.
	looking map[string]int32
}

// levels are the thresholds of one value.
type levels struct {
	value   *Expr
	members []int32 // by what they are reached at
	at      []float64
}

// lazyWatchers are made when the first event of their name comes: of a set that is
// replaced before that, nothing is built.
type lazyWatchers struct {
	set      *Set
	programs []*Program
	name     string
	once     [2]sync.Once
	made     [2]*watchers // of a customer whom one knows, of one who comes to be
}

func (l *lazyWatchers) get(first bool) *watchers {
	if !first || len(l.set.segments) == 0 {
		l.once[0].Do(func() { l.made[0] = newWatchers(l.programs, l.name, l.set.unindexed) })
		return l.made[0]
	}
	l.once[1].Do(func() { l.made[1] = newWatchers(l.set.withSegments(l.programs), l.name, l.set.unindexed) })
	return l.made[1]
}

// watching are the programs whose trigger looks at events of a name; first says that it
// is a customer's first record.
func (s *Set) watching(event string, first bool) *watchers {
	if l, ok := s.watchers[event]; ok {
		return l.get(first)
	}
	return s.watchAlways.get(first)
}

// watchEvents prepares what watching gives.
func (s *Set) watchEvents() {
	s.watchers = make(map[string]*lazyWatchers, len(s.triggers))
	for name, all := range s.triggers { //nudge:unordered each is handled alone
		s.watchers[name] = &lazyWatchers{set: s, programs: all, name: name}
	}
	s.watchAlways = &lazyWatchers{set: s}
}

func newWatchers(programs []*Program, name string, all bool) *watchers {
	w := &watchers{programs: programs, all: all, looking: map[string]int32{}}
	events, segments, dates := newIndexBuilder(), newIndexBuilder(), newIndexBuilder()
	bySource := map[string]*levels{}
	for i, p := range programs {
		switch t := p.Trigger.(type) {
		case *EventTrigger:
			events.add(i, t.Where)
		case *CountTrigger:
			events.add(i, t.Where, counted(counterID(t.Event, sourceOf(t.Where)), t.Reaches))
		case *InactivityTrigger:
			events.add(i, t.Where)
		case *StreakTrigger:
			t.indexIn(events, i, name)
		case *SegmentTrigger:
			w.looking[p.Name] = int32(i)
			if t.When.reads.clock {
				w.clocks = append(w.clocks, int32(i))
			} else {
				segments.add(i, t.When)
			}
		case *ThresholdTrigger:
			w.looking[p.Name] = int32(i)
			if t.Value.reads.clock {
				w.clocks = append(w.clocks, int32(i))
			} else {
				w.level(bySource, t, i)
			}
		case *DateTrigger:
			dates.add(i, nil, t.Path.there()...)
		case *ChangeTrigger:
			w.changes.add(i, t)
		case *WebhookTrigger, *BroadcastTrigger, *ScheduleTrigger:
			events.add(i, nil)
		}
	}
	w.events, w.segments, w.dates = events.build(), segments.build(), dates.build()
	byLevel := newIndexBuilder()
	for i, l := range w.levels {
		sort.Sort(l)
		byLevel.add(i, nil, l.value.there()...)
	}
	w.byLevel = byLevel.build()
	return w
}

func (w *watchers) level(bySource map[string]*levels, t *ThresholdTrigger, member int) {
	l := bySource[t.Value.Source]
	if l == nil {
		l = &levels{value: t.Value}
		bySource[t.Value.Source], w.levels = l, append(w.levels, l)
	}
	l.members, l.at = append(l.members, int32(member)), append(l.at, t.At)
}

// Len, Less and Swap sort the thresholds of a value.
func (l *levels) Len() int           { return len(l.at) }
func (l *levels) Less(i, j int) bool { return l.at[i] < l.at[j] }
func (l *levels) Swap(i, j int) {
	l.at[i], l.at[j] = l.at[j], l.at[i]
	l.members[i], l.members[j] = l.members[j], l.members[i]
}

// between are the thresholds from low to high, both included.
func (l *levels) between(low, high float64) []int32 {
	from := sort.SearchFloat64s(l.at, low)
	to := from + sort.Search(len(l.at)-from, func(i int) bool { return l.at[from+i] > high })
	return l.members[from:to]
}

// indexIn puts a streak where events of a name find it: those that count, and those that
// break it.
func (t *StreakTrigger) indexIn(b *indexBuilder, member int, name string) {
	if t.Event == name {
		b.add(member, t.Where)
	}
	if t.BreakOn != nil && t.BreakOn.Event == name {
		b.add(member, t.BreakOn.Where)
	}
}

// counted is the term that a counter stands at n.
func counted(id string, n uint64) term {
	return term{kind: termEqual, place: place{ofCounter, id}, lits: literals(types.Uint(n))}
}

// there is the term that the value of an expression is there, where it is the member of
// an object; no term else.
func (e *Expr) there() []term {
	if e == nil || e.member == (place{}) || e.member.of > ofTraits {
		return nil
	}
	return []term{{kind: termHas, place: e.member}}
}

// everything appends the places of all programs.
func (w *watchers) everything(found []int32) []int32 {
	for i := range w.programs {
		found = append(found, int32(i))
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

// planned appends the campaigns for which dates of the customer are planned or were.
func (w *watchers) planned(c *Customer, found []int32) []int32 {
	for i := range c.Dates {
		if i > 0 && c.Dates[i].Campaign == c.Dates[i-1].Campaign {
			continue
		}
		at, ok := slices.BinarySearchFunc(w.programs, c.Dates[i].Campaign, func(p *Program, name string) int {
			return compareNames(p.Name, name)
		})
		if ok {
			found = append(found, int32(at))
		}
	}
	return found
}
