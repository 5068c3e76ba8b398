package active

import (
	"sort"
	"strings"
	"sync"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/program"
)

// TriggerIndex holds the programs whose trigger looks at events of one name, indexed by their
// conditions: a program that the index does not return would do nothing. It is immutable and
// safe for concurrent use.
type TriggerIndex struct {
	Programs []*program.Program // by name; the indexes give places in it
	// All says that no program is left out: customers who merge may differ in anything.
	All bool

	// events finds the programs that look at the event itself.
	events *expr.Index
	// clocks are the segments and thresholds whose value also changes with time: it may have
	// changed since the last record, so they look at every one.
	clocks []int32
	// segments finds the other segments.
	segments *expr.Index
	// levels are the other thresholds, grouped by what they measure.
	levels []*thresholdGroup
	// byLevel finds the groups of levels whose value exists.
	byLevel *expr.Index
	// dates finds the date triggers whose date exists.
	dates *expr.Index
	// changes finds the triggers on an attribute that changed.
	changes changeIndex
	// Looking maps the campaigns with a segment or threshold trigger to their places in
	// Programs.
	Looking map[string]int32
}

// lazyWatchers builds the indexes of an event name when the first such event comes, since many
// sets are replaced before that. It is safe for concurrent use.
type lazyWatchers struct {
	set      *Set
	programs []*program.Program
	name     string
	// once and made hold three indexes: for an event of a known customer; for a customer's
	// first record; and for an event that may change the customer's time zone.
	once [3]sync.Once
	// made[i] is valid after once[i].
	made [3]*TriggerIndex // of a customer whom one knows, of one who comes to be, of one who may have moved
}

// get returns the index for a record; first says that it is the first record of its customer.
func (l *lazyWatchers) get(first bool) *TriggerIndex {
	if !first || len(l.set.segments) == 0 {
		l.once[0].Do(func() { l.made[0] = NewTriggerIndex(l.programs, l.name, false) })
		return l.made[0]
	}
	l.once[1].Do(func() { l.made[1] = NewTriggerIndex(with(l.programs, l.set.segments), l.name, false) })
	return l.made[1]
}

// moved returns the index for an event that may change the time zone of a known customer's
// device.
func (l *lazyWatchers) moved() *TriggerIndex {
	l.once[2].Do(func() { l.made[2] = NewTriggerIndex(with(l.programs, l.set.Zoned), l.name, false) })
	return l.made[2]
}

// TriggersOn returns the index of the programs whose trigger looks at events of a name; first
// says that the record is a customer's first, at which all segments look too.
func (s *Set) TriggersOn(event string, first bool) *TriggerIndex {
	return s.lazy(event).get(first)
}

// WatchingMoved is TriggersOn for an event of a known customer that can change their time zone:
// the programs whose value depends on the zone look at it too.
func (s *Set) WatchingMoved(event string) *TriggerIndex {
	return s.lazy(event).moved()
}

// lazy returns the indexes of an event name; names that no trigger has share one.
func (s *Set) lazy(event string) *lazyWatchers {
	if l, ok := s.watchers[event]; ok {
		return l
	}
	return s.watchAlways
}

// watchEvents prepares the indexes that TriggersOn and WatchingMoved return.
func (s *Set) watchEvents() {
	s.watchers = make(map[string]*lazyWatchers, len(s.Triggers))
	for name, all := range s.Triggers { //nudge:unordered each is handled alone
		s.watchers[name] = &lazyWatchers{set: s, programs: all, name: name}
	}
	s.watchAlways = &lazyWatchers{set: s}
}

// NewTriggerIndex indexes the triggers of programs, which are sorted by name, for events named
// name (only streaks depend on it). With all, the caller is to evaluate every program.
func NewTriggerIndex(programs []*program.Program, name string, all bool) *TriggerIndex {
	w := &TriggerIndex{Programs: programs, All: all, Looking: map[string]int32{}}
	events, segments, dates := expr.NewIndexBuilder(), expr.NewIndexBuilder(), expr.NewIndexBuilder()
	bySource := map[string]*thresholdGroup{}
	for i, p := range programs {
		switch t := p.Trigger.(type) {
		case *program.EventTrigger:
			events.Add(i, t.Where)
		case *program.CountTrigger:
			events.Add(i, t.Where, expr.Counted(customer.CounterID(t.Event, expr.SourceOf(t.Where)), t.Reaches))
		case *program.InactivityTrigger:
			events.Add(i, t.Where)
		case *program.StreakTrigger:
			indexStreak(t, events, i, name)
		case *program.SegmentTrigger:
			w.Looking[p.Name] = int32(i)
			if t.When.Reads.Clock {
				w.clocks = append(w.clocks, int32(i))
			} else {
				segments.Add(i, t.When)
			}
		case *program.ThresholdTrigger:
			w.Looking[p.Name] = int32(i)
			if t.Value.Reads.Clock {
				w.clocks = append(w.clocks, int32(i))
			} else {
				w.level(bySource, t, i)
			}
		case *program.DateTrigger:
			dates.Add(i, nil, t.Path.There()...)
		case *program.ChangeTrigger:
			w.changes.add(i, t)
		case *program.WebhookTrigger, *program.BroadcastTrigger, *program.ScheduleTrigger:
			events.Add(i, nil)
		}
	}
	w.events, w.segments, w.dates = events.Build(), segments.Build(), dates.Build()
	byLevel := expr.NewIndexBuilder()
	for i, l := range w.levels {
		sort.Sort(l)
		byLevel.Add(i, nil, l.value.There()...)
	}
	w.byLevel = byLevel.Build()
	return w
}

// level adds a threshold trigger to the group of its value; bySource holds the groups by the
// source of the value, in which triggers with the same text share one.
func (w *TriggerIndex) level(bySource map[string]*thresholdGroup, t *program.ThresholdTrigger, member int) {
	l := bySource[t.Value.Source]
	if l == nil {
		l = &thresholdGroup{value: t.Value}
		bySource[t.Value.Source], w.levels = l, append(w.levels, l)
	}
	l.members, l.at = append(l.members, int32(member)), append(l.at, t.At)
}

// indexStreak adds a streak under the conditions of the events named name: those that count and
// those that break it.
func indexStreak(t *program.StreakTrigger, b *expr.IndexBuilder, member int, name string) {
	if t.Event == name {
		b.Add(member, t.Where)
	}
	if t.BreakOn != nil && t.BreakOn.Event == name {
		b.Add(member, t.BreakOn.Where)
	}
}

// compareNames orders programs by name.
func compareNames(a, b string) int { return strings.Compare(a, b) }

// with merges others into all, sorted by name and each once. The others are programs that look
// at a record whatever its event name is: at a customer's first record all segments, since
// somebody can be in one from the start ("has not bought yet"), and at a change of the zone
// those that depend on it.
func with(all, others []*program.Program) []*program.Program {
	merged := append(make([]*program.Program, 0, len(all)+len(others)), all...)
	for _, p := range others {
		at := sort.Search(len(all), func(i int) bool { return all[i].Name >= p.Name })
		if at == len(all) || all[at] != p {
			merged = append(merged, p)
		}
	}
	sort.Slice(merged, func(i, j int) bool { return merged[i].Name < merged[j].Name })
	return merged
}
