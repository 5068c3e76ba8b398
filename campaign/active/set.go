package active

import (
	"fmt"
	"sort"
	"time"

	"github.com/nudge-engine/nudge/campaign/program"
)

// Set is the active campaigns of one workspace, indexed by what records concern them. After
// NewSet, SetHistory, SetPolicies and Decide it is immutable and safe for concurrent use.
type Set struct {
	// Zone is the IANA name of the workspace's zone; empty: UTC.
	Zone string
	// Programs are the campaigns, sorted by name: their order is that in which they look at a
	// record, so it must not depend on when they were applied.
	Programs []*program.Program
	ByName   map[string]*program.Program
	// Triggers maps an event name to the programs whose trigger looks at it, by name.
	Triggers map[string][]*program.Program
	// Counters maps an event name to the counters that may count it, sorted by id.
	Counters map[string][]*CounterSpec
	// Windows maps an event name to the window kept of it.
	Windows map[string]*windowSpec
	// Recorded has the names of the events that a goal, stop or wait waits for: customers remember
	// the last ones.
	Recorded map[string]bool
	// profile lists the programs whose trigger watches customers from their first record on, by
	// name.
	profile []*program.Program
	// segments lists the programs whose trigger watches a segment, or a threshold whose value
	// changes with time, by name.
	segments []*program.Program
	// Zoned lists the programs whose value depends on the time zone, which any event can change.
	Zoned []*program.Program
	// winners are the decided experiments of the workspace; see Decide.
	winners []Winner
	// Histories tells which older versions chains still follow, by campaign.
	Histories map[string]*versionHistory
	// broadcasts lists the programs that wait for an event without a customer, by event name.
	broadcasts map[string][]*program.Program
	// Schedules lists the programs whose trigger is a schedule, by name.
	Schedules []*program.Program
	// Rules are the policies of the workspace.
	Rules rules

	// watchers has the trigger indexes by event name.
	watchers map[string]*lazyWatchers
	// watchAlways has those of all other names: triggers that look at every event.
	watchAlways *lazyWatchers
	filters     filters
	// specs has the counters by id.
	specs map[string]*CounterSpec
}

// NewSet indexes programs. since maps the id of a counter to the place of the control record
// from which on it counts; NewSet adds counters that are new, with place, and removes those
// that no program reads any more. kept are older versions that live chains still follow: they
// start no chains, but their counters are maintained.
func NewSet(programs []*program.Program, since map[string]uint64, place uint64, kept ...*program.Program) *Set {
	s := &Set{
		Programs: append([]*program.Program(nil), programs...),
		ByName:   make(map[string]*program.Program, len(programs)),
		Triggers: map[string][]*program.Program{},
		Counters: map[string][]*CounterSpec{},
		Windows:  map[string]*windowSpec{},

		broadcasts: map[string][]*program.Program{},
		Recorded:   map[string]bool{},
		specs:      map[string]*CounterSpec{},
	}
	byName := func(i, j int) bool { return s.Programs[i].Name < s.Programs[j].Name }
	if !sort.SliceIsSorted(s.Programs, byName) {
		sort.Slice(s.Programs, byName)
	}
	for _, p := range s.Programs {
		s.ByName[p.Name] = p
		if _, is := p.Trigger.(*program.ScheduleTrigger); is {
			s.Schedules = append(s.Schedules, p)
		}
		if p.Status != program.StatusDraft && p.Status != program.StatusArchived {
			s.indexTrigger(p)
		}
		s.indexAsked(p)
	}
	for _, p := range kept {
		if p.CountsOnly {
			s.askTrigger(p)
		}
		s.indexAsked(p)
	}
	s.sortCounters()
	s.watchEvents()
	wanted := map[string]bool{}
	for _, specs := range s.Counters { //nudge:unordered each is handled alone
		for _, c := range specs {
			wanted[c.ID] = true
			if _, known := since[c.ID]; !known {
				since[c.ID] = place
			}
			c.Since = since[c.ID]
		}
	}
	for id := range since { //nudge:unordered removal only
		if !wanted[id] {
			delete(since, id)
		}
	}
	return s
}

// indexTrigger indexes the trigger of a program that is neither a draft nor archived. A paused
// one is indexed too, as its trigger goes on watching.
func (s *Set) indexTrigger(p *program.Program) {
	s.indexInterest(p)
	s.askTrigger(p)
	if p.Trigger.Newcomers() != nil {
		s.profile = append(s.profile, p)
	}
	if t, is := p.Trigger.(*program.BroadcastTrigger); is {
		s.broadcasts[t.Event] = append(s.broadcasts[t.Event], p)
	}
}

// DescribeCounters lists, for people, what the set counts: event names, conditions and windows.
func (s *Set) DescribeCounters() []string {
	var asks []string
	for _, specs := range s.Counters { //nudge:unordered sorted below
		for _, c := range specs {
			text := c.ID
			if c.Where != nil {
				text = fmt.Sprintf("%s where %s", c.ID[:len(c.ID)-len(c.Where.Source)-1], c.Where.Source)
			}
			asks = append(asks, text)
		}
	}
	for event, w := range s.Windows { //nudge:unordered sorted below
		asks = append(asks, fmt.Sprintf("%s of the last %s", event, time.Duration(w.Longest)*time.Millisecond))
	}
	sort.Strings(asks)
	return asks
}

// InForce returns the elements of all whose campaign is in the set. It reuses the memory of
// all.
func InForce[T any](set *Set, all []T, campaign func(*T) string) []T {
	kept := all[:0]
	for i := range all {
		if set.ByName[campaign(&all[i])] != nil {
			kept = append(kept, all[i])
		}
	}
	return kept
}

// indexInterest records which records a program's trigger must see: by event name, by segment
// or clock, by time zone.
func (s *Set) indexInterest(p *program.Program) {
	if _, is := p.Trigger.(*program.SegmentTrigger); is || p.WatchesClock() {
		s.segments = append(s.segments, p)
	}
	if p.WatchesZone() {
		s.Zoned = append(s.Zoned, p)
	}
	for _, name := range p.Trigger.Events() {
		if all := s.Triggers[name]; len(all) == 0 || all[len(all)-1] != p {
			s.Triggers[name] = append(all, p)
		}
	}
}
