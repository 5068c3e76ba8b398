package machine

import (
	"sort"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
)

// merger joins two customers, an anonymous one into the known one. It has no state of its own.
type merger struct {
	*turn

	zones      *zones
	profile    *profile
	deliveries *deliveries
	sends      *sends
	chains     *chains
	entries    *entries
	triggers   *triggers
}

// Merge takes the state of an anonymous customer into the known one c. created says that
// it is the known one's first record. other must not be used afterwards.
//
// The steps: note the values before, join the states, take over the chains, show each side's chains
// what the other side did, end chains that are too many, and ask the triggers about the joined
// customer. A trigger fires only for what neither had reached before.
//
// REQUIRES: all timers of c due at or before now have fired.
func (m *Machine) Merge(c, other *customer.Customer, now int64, created bool, out *output.Output) {
	m.begin(c, now, out)
	m.chains.follow()
	m.rows.decide(output.Decision{Kind: output.Merged, Detail: other.ID})
	before := m.merge.lookAtBoth(other, created)
	moved := m.merge.state(other)
	own := make([]*customer.Chain, 0, len(c.Chains))
	own = append(own, c.Chains...)
	for _, ch := range moved {
		c.AddChain(ch)
		m.merge.arrive(ch, other.ID)
	}
	m.chains.follow()
	mine, theirs := customer.RecentEventIn(c.Rings), customer.RecentEventIn(other.Rings)
	c.MergeRings(other) // first: a reversal may be among what either remembers
	m.chains.recheck(moved, mine)
	m.chains.recheck(own, theirs)
	m.merge.yield(moved)
	m.merge.mergedProfile(before)
	m.rest()
	m.followProfile(nil)
	m.applyEmitted(out)
	m.chains.prune()
}

// arrive writes the row of a chain that came under the known customer, and the decision if it is live.
func (mg *merger) arrive(ch *customer.Chain, from string) {
	if ch.Live() {
		mg.out.decideChain(ch, output.Arrived, output.NoReason, ch.Step, from)
	}
	mg.out.chain(ch)
}

// yield ends the chains for which there is no room beside those that were there, by the three limits
// one after another: live chains of a campaign and key, one of a group, all of a customer. Of the last,
// those that came are ended, from the last on.
func (mg *merger) yield(moved []*customer.Chain) {
	came := map[*customer.Chain]bool{}
	for _, ch := range moved {
		came[ch] = true
	}
	for _, ch := range append([]*customer.Chain(nil), moved...) {
		p := mg.set.ByName[ch.Campaign]
		if p == nil || !ch.Live() {
			continue
		}
		live := mg.entries.liveOf(p, ch.Key)
		sort.SliceStable(live, func(i, j int) bool { return mg.further(live[i], live[j], came) })
		for len(live) > max(p.Reentry.MaxActive, 1) {
			mg.chains.end(live[len(live)-1], output.Moved, output.ReasonMerged, "")
			live = live[:len(live)-1]
		}
	}
	for _, ch := range append([]*customer.Chain(nil), mg.c.Chains...) {
		p := mg.set.ByName[ch.Campaign]
		if p == nil || !ch.Live() {
			continue
		}
		if rival := mg.sends.conflict(p, ch); rival != nil {
			mg.chains.end(ch, output.Moved, output.ReasonGroup, rival.Campaign)
		}
	}
	live := 0
	for _, ch := range mg.c.Chains {
		if ch.Live() {
			live++
		}
	}
	for i := len(moved) - 1; i >= 0 && live > customer.MaxLiveChains; i-- {
		if moved[i].Live() {
			mg.chains.end(moved[i], output.Moved, output.ReasonTooMany, "")
			live--
		}
	}
}

// further reports whether chain a is kept rather than b of the same campaign and key: the one
// further along its steps, of equals the one that entered first, then the one that was there.
func (mg *merger) further(a, b *customer.Chain, came map[*customer.Chain]bool) bool {
	if x, y := mg.along(a), mg.along(b); x != y {
		return x > y
	}
	if a.EnteredAt != b.EnteredAt {
		return a.EnteredAt < b.EnteredAt
	}
	return !came[a] && came[b]
}

// along returns the index of the step at which a chain stands, -1 where that step is gone.
func (mg *merger) along(ch *customer.Chain) int {
	p := mg.set.ProgramOf(ch)
	if p == nil {
		return -1
	}
	if step, at := p.Step(ch.Step); step != nil {
		return at
	}
	return -1
}

// looked is what was known of one campaign's trigger before a merge.
type looked struct {
	program *program.Program
	counted bool // the counter of either side was at the number already
}

// lookAtBoth remembers the values and counts of both customers before a merge, by campaign name: a
// trigger fires only for what neither had reached.
func (mg *merger) lookAtBoth(other *customer.Customer, created bool) []looked {
	var all []looked
	var values []*program.Program
	for _, p := range mg.set.Programs {
		if p.Status == program.StatusDraft || p.Status == program.StatusArchived {
			continue
		}
		if t, counts := p.Trigger.(*program.CountTrigger); counts {
			id := customer.CounterID(t.Event, expr.SourceOf(t.Where))
			reached := func(c *customer.Customer) bool { n := c.Counter(id); return n != nil && n.Count >= t.Reaches }
			all = append(all, looked{program: p, counted: reached(mg.c) || reached(other)})
			continue
		}
		if p.Level() != nil {
			values = append(values, p)
		}
		if p.Trigger.OnProfile() {
			all = append(all, looked{program: p})
		}
	}
	mg.triggers.observeBoth(other, values, created)
	return all
}

// mergedProfile asks the triggers about the merged customer, by campaign name. The sum of two counts
// can pass a number without an event that reaches it, so count triggers fire here with the last
// event counted.
func (mg *merger) mergedProfile(before []looked) {
	mg.scope.Customer.Set(mg.c)
	for _, b := range before {
		t, counts := b.program.Trigger.(*program.CountTrigger)
		if !counts {
			mg.triggers.evaluate(b.program, nil)
			continue
		}
		spec := mg.set.CounterSpecFor(t.Event, t.Where)
		n := mg.c.Counter(spec.ID)
		if b.counted || n == nil || n.Count < t.Reaches {
			continue
		}
		if mg.profile.historyUnknown(spec) && !b.program.Existing {
			mg.out.refuse(b.program, output.ReasonHistory)
			continue
		}
		e := mg.triggers.isRecorded(&program.InactivityTrigger{Event: t.Event, Where: t.Where}, b.program.Name, n.Last)
		mg.scope.Chain.Chain = nil
		mg.scope.Event.Set(e)
		mg.scope.Trigger.Set(e)
		mg.entries.tryEnter(b.program, e)
		mg.scope.Event.Set(nil)
	}
	mg.triggers.notedProfile()
}
