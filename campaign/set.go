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
	unindexed   bool                    // nothing is left out, so that tests can compare
}

// counterSpec is one counter that the set keeps.
type counterSpec struct {
	id    string
	where *Expr
	sums  []string // properties, sorted
	since uint64   // place of the control record that asked first
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

// indexAsked keeps what the expressions and matchers of a program ask for.
func (s *Set) indexAsked(p *Program) {
	if !p.noted { // it was not read from a text
		own := *p
		own.note()
		p = &own
	}
	for _, name := range p.hears {
		s.ringed[name] = true
	}
	for _, ask := range p.asks {
		if ask.window > 0 {
			s.askWindow(ask)
			continue
		}
		s.askCounter(ask.event, nil, ask.sum)
	}
}

func (s *Set) askCounter(event string, where *Expr, sum string) {
	id := counterID(event, sourceOf(where))
	spec := s.specs[id]
	if spec == nil {
		spec = &counterSpec{id: id, where: where}
		s.specs[id] = spec
		s.counters[event] = append(s.counters[event], spec)
	}
	if sum == "" {
		return
	}
	if i := sort.SearchStrings(spec.sums, sum); i == len(spec.sums) || spec.sums[i] != sum {
		spec.sums = append(spec.sums, "")
		copy(spec.sums[i+1:], spec.sums[i:])
		spec.sums[i] = sum
	}
}

// counterSpecFor is the spec of a counter, nil when the set keeps none of it.
func (s *Set) counterSpecFor(event string, where *Expr) *counterSpec {
	return s.specs[counterID(event, sourceOf(where))]
}

func sourceOf(e *Expr) string {
	if e == nil {
		return ""
	}
	return e.Source
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

// matchers are all the goals', stops' and waits' matchers of a program.
func (p *Program) matchers() []*Matcher {
	var all []*Matcher
	for i := range p.Goals {
		all = append(all, &p.Goals[i].Match)
		if p.Goals[i].ReverseOn != nil {
			all = append(all, p.Goals[i].ReverseOn)
		}
	}
	for i := range p.Stops {
		all = append(all, &p.Stops[i])
	}
	for i := range p.Steps {
		if w, ok := p.Steps[i].Verb.(*Wait); ok {
			for j := range w.For {
				all = append(all, &w.For[j])
			}
			if w.RestartOn != nil {
				all = append(all, w.RestartOn)
			}
		}
	}
	return all
}

// exprs are all the expressions of a program.
func (p *Program) exprs() []*Expr {
	var all []*Expr
	add := func(e *Expr) {
		if e != nil {
			all = append(all, e)
		}
	}
	switch t := p.Trigger.(type) {
	case *EventTrigger:
		add(t.Where)
	case *CountTrigger:
		add(t.Where)
	case *InactivityTrigger:
		add(t.Where)
	case *StreakTrigger:
		add(t.Where)
		if t.BreakOn != nil {
			add(t.BreakOn.Where)
		}
	case *ThresholdTrigger:
		add(t.Value)
	case *SegmentTrigger:
		add(t.When)
	case *DateTrigger:
		add(t.Path)
	case *BroadcastTrigger:
		add(t.Audience)
	case *ChangeTrigger, *ScheduleTrigger, *WebhookTrigger:
	}
	add(p.Audience)
	add(p.Reentry.Key)
	for i := range p.Goals {
		add(p.Goals[i].Value)
		add(p.Goals[i].Currency)
	}
	for _, m := range p.matchers() {
		add(m.Where)
	}
	if p.Policy.Dedupe != nil {
		add(p.Policy.Dedupe.Key)
	}
	for i := range p.Steps {
		switch v := p.Steps[i].Verb.(type) {
		case *Branch:
			for j := range v.Arms {
				add(v.Arms[j].When)
			}
		case *Send:
			add(v.To)
		default: // the others have none
		}
		verbExprs(p.Steps[i].Verb, add)
	}
	return all
}
