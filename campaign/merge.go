package campaign

import "sort"

// Merge takes the state of an anonymous customer into the known one c. created says that
// it is the known one's first record. other is used up.
//
// REQUIRES: all timers of c due at or before now have fired.
func (m *Machine) Merge(c, other *Customer, now int64, created bool, out *Output) {
	m.begin(c, now, out)
	m.follow()
	m.decide(Decision{Kind: Merged, Detail: other.ID})
	before := m.lookAtBoth(other, created)
	moved := m.absorb(other)
	own := make([]*Chain, 0, len(c.Chains))
	own = append(own, c.Chains...)
	for _, ch := range moved {
		c.addChain(ch)
		m.arrive(ch, other.ID)
	}
	m.follow()
	mine, theirs := remembered(c.Rings), remembered(other.Rings)
	c.mergeRings(other) // first: a reversal may be among what either remembers
	m.recheck(moved, mine)
	m.recheck(own, theirs)
	m.yield(moved)
	m.mergedProfile(before)
	m.rest()
	m.followProfile(nil)
	m.derive()
	m.prune()
}

// arrive writes that a chain came, and its row under the known customer.
func (m *Machine) arrive(ch *Chain, from string) {
	if ch.live() {
		m.decideChain(ch, Arrived, NoReason, ch.Step, from)
	}
	m.out.Chains = append(m.out.Chains, m.row(ch))
}

// recheck asks chains about what the other of two customers did before they merged, as
// far as it is remembered: reversals, goals and stops, in the order in which it came.
func (m *Machine) recheck(chains []*Chain, events []Remembered) {
	if len(chains) == 0 {
		return
	}
	for _, r := range events {
		e := decodeBody(r.Event)
		if e == nil {
			continue
		}
		m.eventID = e.ID
		m.scope.event.set(e)
		for _, ch := range chains {
			p := m.set.of(ch)
			if p == nil {
				continue
			}
			m.recheckOne(p, ch, e)
		}
	}
	m.eventID = ""
	m.scope.event.set(nil)
}

// recheckOne asks a chain about a remembered event, the scope's.
func (m *Machine) recheckOne(p *Program, ch *Chain, e *Event) {
	m.look(ch)
	m.reversals(p, ch, e)
	if m.beforeStart(ch, e) {
		return
	}
	m.goals(p, ch, e)
	if ch.live() {
		m.stops(p, ch, e)
	} else {
		m.recallLate(p, ch, e)
	}
}

// recheckLater asks a chain that took a new trigger event about what happened after it and
// came before it.
func (m *Machine) recheckLater(ch *Chain, trigger *Event) {
	current := m.scope.event.e
	for _, r := range remembered(m.c.Rings) {
		p, e := m.set.of(ch), decodeBody(r.Event)
		if p == nil || e == nil || e.Time <= trigger.Time || !p.hearsOf(e.Name) {
			continue
		}
		m.scope.event.set(e)
		m.recheckOne(p, ch, e)
	}
	m.scope.event.set(current)
	m.look(ch)
}

// yield ends the chains for which there is no room beside those that were there: of a
// campaign and key, of a group, of a customer.
func (m *Machine) yield(moved []*Chain) {
	came := map[*Chain]bool{}
	for _, ch := range moved {
		came[ch] = true
	}
	for _, ch := range append([]*Chain(nil), moved...) {
		p := m.set.byName[ch.Campaign]
		if p == nil || !ch.live() {
			continue
		}
		live := m.liveOf(p, ch.Key)
		sort.SliceStable(live, func(i, j int) bool { return m.further(live[i], live[j], came) })
		for len(live) > max(p.Reentry.MaxActive, 1) {
			m.end(live[len(live)-1], Moved, ReasonMerged, "")
			live = live[:len(live)-1]
		}
	}
	for _, ch := range append([]*Chain(nil), m.c.Chains...) {
		p := m.set.byName[ch.Campaign]
		if p == nil || !ch.live() {
			continue
		}
		if rival := m.conflict(p, ch); rival != nil {
			m.end(ch, Moved, ReasonGroup, rival.Campaign)
		}
	}
	live := 0
	for _, ch := range m.c.Chains {
		if ch.live() {
			live++
		}
	}
	for i := len(moved) - 1; i >= 0 && live > MaxLiveChains; i-- {
		if moved[i].live() {
			m.end(moved[i], Moved, ReasonTooMany, "")
			live--
		}
	}
}

// further says whether a chain goes before another of its campaign and key: the one
// further along, of equals the earlier one, then the one that was there.
func (m *Machine) further(a, b *Chain, came map[*Chain]bool) bool {
	if x, y := m.along(a), m.along(b); x != y {
		return x > y
	}
	if a.EnteredAt != b.EnteredAt {
		return a.EnteredAt < b.EnteredAt
	}
	return !came[a] && came[b]
}

// along is the index of the step at which a chain stands, -1 where it is gone.
func (m *Machine) along(ch *Chain) int {
	p := m.set.of(ch)
	if p == nil {
		return -1
	}
	if step, at := p.step(ch.Step); step != nil {
		return at
	}
	return -1
}

// looked is what the triggers of one campaign saw before a merge.
type looked struct {
	program *Program
	counted bool // the counter of either side was at the number already
}

// lookAtBoth remembers what the values and counts were, of the known customer or of the
// other: a trigger fires only for what neither had reached.
func (m *Machine) lookAtBoth(other *Customer, created bool) []looked {
	var all []looked
	var values []*Program
	for _, p := range m.set.programs {
		if p.Status == StatusDraft || p.Status == StatusArchived {
			continue
		}
		switch t := p.Trigger.(type) {
		case *SegmentTrigger, *ThresholdTrigger:
			values = append(values, p)
		case *CountTrigger:
			id := counterID(t.Event, sourceOf(t.Where))
			reached := func(c *Customer) bool { n := c.counter(id); return n != nil && n.Count >= t.Reaches }
			all = append(all, looked{program: p, counted: reached(m.c) || reached(other)})
			continue
		case *ChangeTrigger, *DateTrigger:
		default:
			continue
		}
		all = append(all, looked{program: p})
	}
	watching := newWatchers(values, "", true) // all of them: two customers differ in everything
	m.lookBefore(watching, created)
	own := m.before
	m.before = nil
	m.scope.customer.set(other)
	m.lookBefore(watching, false)
	m.scope.customer.set(m.c)
	for i := range own {
		if m.in(own[i].program, &m.before[i], other) {
			m.dropLevel(own[i].program.Name)
			own[i] = sight{program: own[i].program, value: m.before[i].value, known: m.before[i].known}
			if _, is := own[i].program.Trigger.(*SegmentTrigger); is {
				own[i].value, own[i].known = 1, true
			}
		}
	}
	m.before = own
	return all
}

// in says whether the other customer was in a segment that fires on entering, or beyond
// a threshold.
func (m *Machine) in(p *Program, s *sight, other *Customer) bool {
	l := other.level(p.Name)
	switch t := p.Trigger.(type) {
	case *SegmentTrigger:
		return !t.OnLeave && (s.value == 1 || l != nil && l.Spec == t.spec && l.On)
	case *ThresholdTrigger:
		return s.known && t.beyond(s.value)
	default:
		return false
	}
}

// mergedProfile lets the triggers see the merged customer, by campaign name.
func (m *Machine) mergedProfile(before []looked) {
	m.scope.customer.set(m.c)
	for _, b := range before {
		t, counts := b.program.Trigger.(*CountTrigger)
		if !counts {
			m.trigger(b.program, nil)
			continue
		}
		spec := m.set.counterSpecFor(t.Event, t.Where)
		n := m.c.counter(spec.id)
		if b.counted || n == nil || n.Count < t.Reaches {
			continue
		}
		if m.historyUnknown(spec) && !b.program.Existing {
			m.refuse(b.program, "", ReasonHistory)
			continue
		}
		e := m.ringed(&InactivityTrigger{Event: t.Event, Where: t.Where}, b.program.Name, n.Last)
		m.scope.chain.c = nil
		m.scope.event.set(e)
		m.scope.trigger.set(e)
		m.offer(b.program, e)
		m.scope.event.set(nil)
	}
	m.notedProfile()
}
