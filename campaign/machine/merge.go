package machine

import (
	"sort"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
)

// Merge takes the state of an anonymous customer into the known one c. created says that
// it is the known one's first record. other is used up.
//
// REQUIRES: all timers of c due at or before now have fired.
func (m *Machine) Merge(c, other *customer.Customer, now int64, created bool, out *output.Output) {
	m.begin(c, now, out)
	m.follow()
	m.decide(output.Decision{Kind: output.Merged, Detail: other.ID})
	before := m.lookAtBoth(other, created)
	moved := m.mergeCustomer(other)
	own := make([]*customer.Chain, 0, len(c.Chains))
	own = append(own, c.Chains...)
	for _, ch := range moved {
		c.AddChain(ch)
		m.arrive(ch, other.ID)
	}
	m.follow()
	mine, theirs := customer.RecentEventIn(c.Rings), customer.RecentEventIn(other.Rings)
	c.MergeRings(other) // first: a reversal may be among what either remembers
	m.recheck(moved, mine)
	m.recheck(own, theirs)
	m.yield(moved)
	m.mergedProfile(before)
	m.rest()
	m.followProfile(nil)
	m.applyEmitted(out)
	m.prune()
}

// arrive writes that a chain came, and its row under the known customer.
func (m *Machine) arrive(ch *customer.Chain, from string) {
	if ch.Live() {
		m.decideChain(ch, output.Arrived, output.NoReason, ch.Step, from)
	}
	m.out.Chains = append(m.out.Chains, m.row(ch))
}

// recheck asks chains about what the other of two customers did before they merged, as
// far as it is remembered: reversals, goals and stops, in the order in which it came.
func (m *Machine) recheck(chains []*customer.Chain, events []customer.RecentEvent) {
	if len(chains) == 0 {
		return
	}
	for _, r := range events {
		e := event.DecodeBody(r.Event)
		if e == nil {
			continue
		}
		m.eventID = e.ID
		m.scope.Event.Set(e)
		for _, ch := range chains {
			p := m.set.ProgramOf(ch)
			if p == nil {
				continue
			}
			m.recheckOne(p, ch, e)
		}
	}
	m.eventID = ""
	m.scope.Event.Set(nil)
}

// recheckOne asks a chain about a remembered event, the scope's.
func (m *Machine) recheckOne(p *program.Program, ch *customer.Chain, e *event.Event) {
	m.look(ch)
	m.reversals(p, ch, e)
	if m.beforeStart(ch, e) {
		return
	}
	m.goals(p, ch, e)
	if ch.Live() {
		m.stops(p, ch, e)
	} else {
		m.recallLate(p, ch, e)
	}
}

// recheckLater asks a chain that took a new trigger about what happened after it and came
// before it.
func (m *Machine) recheckLater(ch *customer.Chain, after int64) {
	current := m.scope.Event.Event
	for _, r := range customer.RecentEventIn(m.c.Rings) {
		p, e := m.set.ProgramOf(ch), event.DecodeBody(r.Event)
		if p == nil || e == nil || e.Time <= after || !p.HearsOf(e.Name) {
			continue
		}
		m.scope.Event.Set(e)
		m.recheckOne(p, ch, e)
	}
	m.scope.Event.Set(current)
	m.look(ch)
}

// yield ends the chains for which there is no room beside those that were there: of a
// campaign and key, of a group, of a customer.
func (m *Machine) yield(moved []*customer.Chain) {
	came := map[*customer.Chain]bool{}
	for _, ch := range moved {
		came[ch] = true
	}
	for _, ch := range append([]*customer.Chain(nil), moved...) {
		p := m.set.ByName[ch.Campaign]
		if p == nil || !ch.Live() {
			continue
		}
		live := m.liveOf(p, ch.Key)
		sort.SliceStable(live, func(i, j int) bool { return m.further(live[i], live[j], came) })
		for len(live) > max(p.Reentry.MaxActive, 1) {
			m.end(live[len(live)-1], output.Moved, output.ReasonMerged, "")
			live = live[:len(live)-1]
		}
	}
	for _, ch := range append([]*customer.Chain(nil), m.c.Chains...) {
		p := m.set.ByName[ch.Campaign]
		if p == nil || !ch.Live() {
			continue
		}
		if rival := m.conflict(p, ch); rival != nil {
			m.end(ch, output.Moved, output.ReasonGroup, rival.Campaign)
		}
	}
	live := 0
	for _, ch := range m.c.Chains {
		if ch.Live() {
			live++
		}
	}
	for i := len(moved) - 1; i >= 0 && live > customer.MaxLiveChains; i-- {
		if moved[i].Live() {
			m.end(moved[i], output.Moved, output.ReasonTooMany, "")
			live--
		}
	}
}

// further says whether a chain goes before another of its campaign and key: the one
// further along, of equals the earlier one, then the one that was there.
func (m *Machine) further(a, b *customer.Chain, came map[*customer.Chain]bool) bool {
	if x, y := m.along(a), m.along(b); x != y {
		return x > y
	}
	if a.EnteredAt != b.EnteredAt {
		return a.EnteredAt < b.EnteredAt
	}
	return !came[a] && came[b]
}

// along is the index of the step at which a chain stands, -1 where it is gone.
func (m *Machine) along(ch *customer.Chain) int {
	p := m.set.ProgramOf(ch)
	if p == nil {
		return -1
	}
	if step, at := p.Step(ch.Step); step != nil {
		return at
	}
	return -1
}

// looked is what the triggers of one campaign saw before a merge.
type looked struct {
	program *program.Program
	counted bool // the counter of either side was at the number already
}

// lookAtBoth remembers what the values and counts were, of the known customer or of the
// other: a trigger fires only for what neither had reached.
func (m *Machine) lookAtBoth(other *customer.Customer, created bool) []looked {
	var all []looked
	var values []*program.Program
	for _, p := range m.set.Programs {
		if p.Status == program.StatusDraft || p.Status == program.StatusArchived {
			continue
		}
		if t, counts := p.Trigger.(*program.CountTrigger); counts {
			id := customer.CounterID(t.Event, expr.SourceOf(t.Where))
			reached := func(c *customer.Customer) bool { n := c.Counter(id); return n != nil && n.Count >= t.Reaches }
			all = append(all, looked{program: p, counted: reached(m.c) || reached(other)})
			continue
		}
		if p.Level() != nil {
			values = append(values, p)
		}
		if p.Trigger.OnProfile() {
			all = append(all, looked{program: p})
		}
	}
	m.observeBoth(other, values, created)
	return all
}

// mergedProfile lets the triggers see the merged customer, by campaign name.
func (m *Machine) mergedProfile(before []looked) {
	m.scope.Customer.Set(m.c)
	for _, b := range before {
		t, counts := b.program.Trigger.(*program.CountTrigger)
		if !counts {
			m.trigger(b.program, nil)
			continue
		}
		spec := m.set.CounterSpecFor(t.Event, t.Where)
		n := m.c.Counter(spec.ID)
		if b.counted || n == nil || n.Count < t.Reaches {
			continue
		}
		if m.historyUnknown(spec) && !b.program.Existing {
			m.refuse(b.program, output.ReasonHistory)
			continue
		}
		e := m.isRecorded(&program.InactivityTrigger{Event: t.Event, Where: t.Where}, b.program.Name, n.Last)
		m.scope.Chain.Chain = nil
		m.scope.Event.Set(e)
		m.scope.Trigger.Set(e)
		m.tryEnter(b.program, e)
		m.scope.Event.Set(nil)
	}
	m.notedProfile()
}
