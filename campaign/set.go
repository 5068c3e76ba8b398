package campaign

import (
	"fmt"
	"sort"
	"time"
)

// Set is the active campaigns of one workspace, indexed by event name. It is
// immutable and safe for concurrent use.
type Set struct {
	Zone     string     // IANA name of the workspace's zone; empty: UTC
	programs []*Program // by name
	byName   map[string]*Program
	triggers map[string][]*Program // event name -> programs by name
	counters map[string][]*counterSpec
	windows  map[string]*windowSpec // by event name
	ringed   map[string]bool        // event names that a goal, stop or wait names
	// profile are the programs whose trigger watches customers from their
	// first record on, by name.
	profile []*Program
	// segments are the programs that look at a segment, or at a threshold whose value changes
	// with time, by name.
	segments []*Program
	zoned    []*Program // whose value depends on the time zone, which any event can change
	winners  []Winner
	// successions are what older versions left, by campaign.
	successions map[string]*succession
	// broadcasts are the programs that wait for an event without a customer, by name.
	broadcasts map[string][]*Program
	schedules  []*Program // whose trigger is a schedule, by name
	rules      rules      // of the workspace's policies

	watchers    map[string]*lazyWatchers // by event name
	watchAlways *lazyWatchers            // of all other names
	filters     filters
	specs       map[string]*counterSpec // by id
}

// NewSet indexes programs. Counters start at the place that since gives for
// their id; an id that since does not know starts at place, which is also written
// to since. kept are older versions that live chains go by: they start nothing.
func NewSet(programs []*Program, since map[string]uint64, place uint64, kept ...*Program) *Set {
	s := &Set{
		programs: append([]*Program(nil), programs...),
		byName:   make(map[string]*Program, len(programs)),
		triggers: map[string][]*Program{},
		counters: map[string][]*counterSpec{},
		windows:  map[string]*windowSpec{},

		broadcasts: map[string][]*Program{},
		ringed:     map[string]bool{},
		specs:      map[string]*counterSpec{},
	}
	byName := func(i, j int) bool { return s.programs[i].Name < s.programs[j].Name }
	if !sort.SliceIsSorted(s.programs, byName) {
		sort.Slice(s.programs, byName)
	}
	for _, p := range s.programs {
		s.byName[p.Name] = p
		if _, is := p.Trigger.(*ScheduleTrigger); is {
			s.schedules = append(s.schedules, p)
		}
		if p.Status != StatusDraft && p.Status != StatusArchived {
			s.indexTrigger(p)
		}
		s.indexAsked(p)
	}
	for _, p := range kept {
		if p.waiting {
			s.askTrigger(p)
		}
		s.indexAsked(p)
	}
	s.sortCounters()
	s.watchEvents()
	wanted := map[string]bool{}
	for _, specs := range s.counters { //nudge:unordered each is handled alone
		for _, c := range specs {
			wanted[c.id] = true
			if _, known := since[c.id]; !known {
				since[c.id] = place
			}
			c.since = since[c.id]
		}
	}
	for id := range since { //nudge:unordered removal only
		if !wanted[id] {
			delete(since, id)
		}
	}
	return s
}

func (s *Set) indexTrigger(p *Program) {
	s.indexInterest(p)
	switch t := p.Trigger.(type) {
	case *DateTrigger:
		s.profile = append(s.profile, p)
	case *BroadcastTrigger:
		s.broadcasts[t.Event] = append(s.broadcasts[t.Event], p)
	default: // its expressions ask for what it counts
	case *CountTrigger:
		s.askCounter(t.Event, t.Where, "")
	case *InactivityTrigger:
		s.askCounter(t.Event, t.Where, "")
		if t.FromProfile {
			s.profile = append(s.profile, p)
		}
	}
}

// Asks lists what the set counts, for people: event names and predicates.
func (s *Set) Asks() []string {
	var asks []string
	for _, specs := range s.counters { //nudge:unordered sorted below
		for _, c := range specs {
			text := c.id
			if c.where != nil {
				text = fmt.Sprintf("%s where %s", c.id[:len(c.id)-len(c.where.Source)-1], c.where.Source)
			}
			asks = append(asks, text)
		}
	}
	for event, w := range s.windows { //nudge:unordered sorted below
		asks = append(asks, fmt.Sprintf("%s of the last %s", event, time.Duration(w.longest)*time.Millisecond))
	}
	sort.Strings(asks)
	return asks
}

// inForce drops the states of campaigns that are gone.
func inForce[T any](set *Set, all []T, campaign func(*T) string) []T {
	kept := all[:0]
	for i := range all {
		if set.byName[campaign(&all[i])] != nil {
			kept = append(kept, all[i])
		}
	}
	return kept
}

// indexInterest notes which records a program's trigger wants to see.
func (s *Set) indexInterest(p *Program) {
	if _, is := p.Trigger.(*SegmentTrigger); is || p.watchesClock() {
		s.segments = append(s.segments, p)
	}
	if p.watchesZone() {
		s.zoned = append(s.zoned, p)
	}
	for _, name := range p.Trigger.interest() {
		if all := s.triggers[name]; len(all) == 0 || all[len(all)-1] != p {
			s.triggers[name] = append(all, p)
		}
	}
}
