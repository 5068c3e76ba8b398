package campaign

import (
	"sort"
	"strings"
	"sync"
)

// watchers are the programs whose trigger looks at events of one name, indexed by what
// they ask: whoever is not found would do nothing at all. It is immutable and safe for
// concurrent use.
type watchers struct {
	programs []*Program // by name; the indexes give places in it
	all      bool       // none is to be left out: customers who merge differ in everything

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

// lazyWatchers are made when the first event of their name comes: of a set that is
// replaced before that, nothing is built.
type lazyWatchers struct {
	set      *Set
	programs []*Program
	name     string
	once     [3]sync.Once
	made     [3]*watchers // of a customer whom one knows, of one who comes to be, of one who may have moved
}

func (l *lazyWatchers) get(first bool) *watchers {
	if !first || len(l.set.segments) == 0 {
		l.once[0].Do(func() { l.made[0] = newWatchers(l.programs, l.name, false) })
		return l.made[0]
	}
	l.once[1].Do(func() { l.made[1] = newWatchers(with(l.programs, l.set.segments), l.name, false) })
	return l.made[1]
}

// moved is get for an event that says where the device of a customer is.
func (l *lazyWatchers) moved() *watchers {
	l.once[2].Do(func() { l.made[2] = newWatchers(with(l.programs, l.set.zoned), l.name, false) })
	return l.made[2]
}

// watching are the programs whose trigger looks at events of a name; first says that it
// is a customer's first record.
func (s *Set) watching(event string, first bool) *watchers {
	return s.lazy(event).get(first)
}

// watchingMoved is watching for an event of a customer whom one knows that can change their
// time zone.
func (s *Set) watchingMoved(event string) *watchers {
	return s.lazy(event).moved()
}

func (s *Set) lazy(event string) *lazyWatchers {
	if l, ok := s.watchers[event]; ok {
		return l
	}
	return s.watchAlways
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
			indexStreak(t, events, i, name)
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

// indexStreak puts a streak where events of a name find it: those that count, and those that
// break it.
func indexStreak(t *StreakTrigger, b *indexBuilder, member int, name string) {
	if t.Event == name {
		b.add(member, t.Where)
	}
	if t.BreakOn != nil && t.BreakOn.Event == name {
		b.add(member, t.BreakOn.Where)
	}
}

func compareNames(a, b string) int { return strings.Compare(a, b) }

// with adds to the programs that look at a record others, by name: those that look at a
// segment, since a customer's first record is looked at by every segment (they come to be, and
// may be in one from the start, who has not bought yet), or those that look at the time zone.
func with(all, others []*Program) []*Program {
	merged := append(make([]*Program, 0, len(all)+len(others)), all...)
	for _, p := range others {
		at := sort.Search(len(all), func(i int) bool { return all[i].Name >= p.Name })
		if at == len(all) || all[at] != p {
			merged = append(merged, p)
		}
	}
	sort.Slice(merged, func(i, j int) bool { return merged[i].Name < merged[j].Name })
	return merged
}
