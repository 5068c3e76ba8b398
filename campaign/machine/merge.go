package machine

import (
	"bytes"
	"cmp"
	"slices"
	"sort"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/jsonvalue"
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

// maxMergedUses bounds the uses of one cap that a merge leaves; any cap's limit is lower, so what is
// dropped, the oldest, makes no difference to a full cap.
const maxMergedUses = 4096

// state adds what the other customer has to the known one, and returns the chains that move, renumbered
// and not yet among the known one's. Remembered events are not touched.
//
// Of what both know, the newer statement holds; counts and uses add up; limits hold for the sum.
// Timers come first, since they look at both counters, and traits last, since they move timers.
func (mg *merger) state(other *customer.Customer) (moved []*customer.Chain) {
	c := mg.c
	mg.timers(other) // looks at the counters of both
	c.CreatedAt = min(c.CreatedAt, other.CreatedAt)
	for i := range other.Counters {
		c.MergeCounter(&other.Counters[i])
	}
	for i := range other.Windows {
		c.MergeWindow(&other.Windows[i])
	}
	for i := range other.Streaks {
		mg.streak(&other.Streaks[i])
	}
	mg.dates(other)
	for _, tag := range other.Tags {
		c.Tag(tag)
	}
	// Of two statements about one thing the later one holds.
	for _, x := range other.Consents {
		if old := c.Consent(x.Subject, x.Name); old == nil || old.At < x.At {
			mg.profile.setConsent(x)
		}
	}
	moved = mg.renumberChains(other)
	mg.uses(other)
	mg.locks(other)
	c.MergeEntries(other)
	c.Uncounted = sortedSet(append(c.Uncounted, other.Uncounted...))
	if room := maxQueued - len(c.Queue); room > 0 {
		c.Queue = append(c.Queue, other.Queue[:min(room, len(other.Queue))]...)
	}
	mg.traits(other, moved)
	return moved
}

// traits lays the known one's traits over the other's, and takes the time zone of the device that was
// seen last. The rests of moved chains follow the joined customer's zone.
func (mg *merger) traits(other *customer.Customer, moved []*customer.Chain) {
	// The zone is read from the scope, so both are shown to it in turn.
	mg.scope.Customer.Set(other)
	theirs := mg.zones.zone(nil)
	mg.scope.Customer.Set(mg.c)
	if mine := mg.c.Device; mine.Name == "" || other.Device.Name != "" && other.Device.At > mine.At {
		mg.c.Device = other.Device
	}
	if theirs := mg.stamps(other); len(theirs) > 0 {
		mg.chains.changeTraits(jsonvalue.Merge(theirs, orEmpty(mg.c.Traits)))
	}
	if mg.zones.zone(nil) != theirs {
		mg.chains.replanLocal(moved)
	}
}

// orEmpty returns the traits, or an empty JSON object where there are none.
func orEmpty(traits []byte) []byte {
	if len(traits) == 0 {
		return []byte("{}")
	}
	return traits
}

// streak adds the marks of the other's streak. A streak that the marks of both complete fires
// nothing: it is counted as over.
func (mg *merger) streak(from *customer.Streak) {
	p := mg.set.ByName[from.Campaign]
	if p == nil {
		return
	}
	t, ok := p.Trigger.(*program.StreakTrigger)
	if !ok || t.Spec != from.Spec {
		return
	}
	to := mg.triggers.ensureStreak(p, t)
	if to == nil {
		return
	}
	// Marks before After belong to a streak that is over.
	if from.After > to.After {
		to.After = from.After
		to.Marks = slices.DeleteFunc(to.Marks, func(k customer.Mark) bool { return k.Time < to.After })
	}
	for _, k := range from.Marks {
		to.Mark(k, t.Length, t.MaxGap)
	}
}

// dates adds the occurrences that fired for the other, so that none fires twice, and what is planned
// where the known one has nothing; triggers bring it in line with the profile afterwards.
func (mg *merger) dates(other *customer.Customer) {
	c := mg.c
	for _, w := range other.Dates {
		// Dates are sorted by campaign and offset.
		i := sort.Search(len(c.Dates), func(i int) bool { return !c.Dates[i].Before(w.Campaign, w.Offset) })
		if i == len(c.Dates) || c.Dates[i].Campaign != w.Campaign || c.Dates[i].Offset != w.Offset {
			if len(c.Dates) < customer.MaxDates {
				c.Dates = slices.Insert(c.Dates, i, w)
			}
			continue
		}
		// Both have it. Under another Spec the numbers of occurrences mean something else.
		to := &c.Dates[i]
		if to.Spec != w.Spec {
			continue
		}
		fired := append(slices.Clone(to.Fired), w.Fired...)
		slices.Sort(fired)
		fired = slices.Compact(fired)
		to.Fired = fired[max(0, len(fired)-customer.MaxFired):]
		// What the known one still plans has fired for the other.
		if to.HasFired(to.Number) {
			to.Due, to.Number = 0, 0
		}
	}
}

// timers keeps the inactivity timer of the one who did the event last, and none if that one has none.
// Where neither did it, the earlier instant holds.
func (mg *merger) timers(other *customer.Customer) {
	for _, p := range mg.set.Programs {
		t, ok := p.Trigger.(*program.InactivityTrigger)
		if !ok {
			continue
		}
		id := customer.CounterID(t.Event, expr.SourceOf(t.Where))
		last := func(c *customer.Customer) int64 {
			if n := c.Counter(id); n != nil && n.Count > 0 {
				return n.Last
			}
			return -1
		}
		i, armed := other.Watch(p.Name)
		switch mine, theirs := last(mg.c), last(other); {
		case theirs > mine && armed:
			mg.c.SetWatch(other.Watches[i])
		case theirs > mine:
			mg.c.DropWatch(p.Name)
		case theirs < 0 && mine < 0 && armed:
			if j, both := mg.c.Watch(p.Name); !both || other.Watches[i].Due < mg.c.Watches[j].Due {
				mg.c.SetWatch(other.Watches[i])
			}
		default: // the known one did it last
		}
	}
}

// renumberChains gives the other's chains, and the keys and deliveries that name them, numbers that
// follow the known one's entries, and returns the chains. A chain keeps its first customer and number
// as its origin: ids of deliveries follow from those and must not change. Deliveries for which
// there is no room are recalled.
func (mg *merger) renumberChains(other *customer.Customer) []*customer.Chain {
	c := mg.c
	base := func(campaign string) uint32 {
		if e := c.Entry(campaign, "", false); e != nil {
			return e.Number
		}
		return 0
	}
	for _, ch := range other.Chains {
		if ch.Origin == nil {
			ch.Origin = &customer.Origin{Customer: other.ID, Entry: ch.Entry}
		}
		ch.Entry += base(ch.Campaign)
	}
	// The key stays with its chain, which has the new number.
	for i := range other.Holds {
		other.Holds[i].Entry += base(other.Holds[i].Campaign)
	}
	for _, p := range other.Pending {
		p.Delivery.Customer = c.ID
		p.Delivery.Entry += base(p.Delivery.Campaign)
		if len(c.Pending) >= customer.MaxPending {
			// A delivery that is not kept cannot be settled later, so it is recalled now.
			mg.deliveries.settle(p.Delivery, output.StatusRecall, output.Recalled, output.ReasonPending)
			continue
		}
		c.Pending = append(c.Pending, p)
	}
	slices.SortStableFunc(
		c.Pending,
		func(a, b customer.Pending) int { return cmp.Compare(a.Delivery.At, b.Delivery.At) },
	)
	return other.Chains
}

// uses adds what was sent under caps, each delivery once, by time and then by id.
func (mg *merger) uses(other *customer.Customer) {
	for i := range other.CapUses {
		from := &other.CapUses[i]
		to := mg.c.EnsureCapUse(from.Cap)
		to.Uses = append(to.Uses, from.Uses...)
		slices.SortStableFunc(to.Uses, func(a, b customer.Use) int {
			return cmp.Or(cmp.Compare(a.At, b.At), bytes.Compare(a.ID[:], b.ID[:]))
		})
		// A delivery that both have counts once.
		to.Uses = slices.CompactFunc(to.Uses, func(a, b customer.Use) bool { return a == b })
		to.Uses = to.Uses[max(0, len(to.Uses)-maxMergedUses):]
	}
}

// locks adds the dedupe keys; of a key that both hold, the one that ends later is kept.
func (mg *merger) locks(other *customer.Customer) {
	mg.sends.dropHolds()
	for _, h := range other.Holds {
		i, found := mg.c.Hold(h.Key)
		switch {
		case found && mg.c.Holds[i].Until >= h.Until, h.Until <= mg.now:
		case found:
			mg.c.Holds[i] = h
		case len(mg.c.Holds) < maxHolds:
			mg.c.Holds = slices.Insert(mg.c.Holds, i, h)
		}
	}
}

// stamps joins the times at which the traits of two customers were set, and returns the traits of the
// other that the known one takes over: not those that the known one removed later.
func (mg *merger) stamps(other *customer.Customer) (theirs []byte) {
	c := mg.c
	own := map[uint32]bool{}
	for _, name := range traitNames(c.Traits) {
		own[customer.TraitID(name)] = true
	}
	theirs = without(other.Traits, func(name string) bool {
		id := customer.TraitID(name)
		mine, its := c.Stamp(id, mg.now), other.Stamp(id, mg.now)
		return !own[id] && mine != nil && (its == nil || its.At <= mine.At)
	})
	for _, s := range other.Stamps {
		mine := c.Stamp(s.Trait, mg.now)
		if own[s.Trait] || mine != nil && mine.At >= s.At {
			continue
		}
		c.SetStamp(s)
	}
	return theirs
}

// Freeze ends an anonymous customer who is merged into the customer into: the state leaves as
// transfers in out, in parts of at most event.MaxTransferBody bytes, and c becomes a tombstone. e is
// the record that says so; known says that there is a state at all.
//
// The two customers may be in different partitions, so the state travels as a record of the log;
// Merge takes it up at the other side.
//
// REQUIRES: all timers of c due at or before now have fired; c is anonymous and has no
// tombstone, into is known.
func (m *Machine) Freeze(c *customer.Customer, e *event.Event, into string, known bool, now int64, out *output.Output) {
	m.begin(c, now, out)
	m.eventID = e.ID
	m.rows.decide(output.Decision{Kind: output.Merged, Detail: into})
	var state []byte
	if known {
		m.chains.follow()
		m.chains.prune() // what is over and not measured stays where it was
		c.Uncounted = m.profile.uncounted()
		toured := c.Toured
		c.Toured = 0 // bulk scans are those of a partition
		state = c.AppendTo(nil)
		c.Toured = toured
		m.merge.leave(into)
	}
	*c = customer.Customer{
		Workspace: c.Workspace, ID: c.ID, CreatedAt: c.CreatedAt, CreatedPlace: c.CreatedPlace, Toured: c.Toured,
		Merged: &customer.Tombstone{Into: into},
	}
	for len(state) > event.MaxTransferBody {
		c.Forward(event.TransferPart, state[:event.MaxTransferBody:event.MaxTransferBody], out)
		state = state[event.MaxTransferBody:]
	}
	c.Forward(event.TransferState, state, out) // without a state it says who merged
}

// leave writes the last rows of the chains that move. Their goals and variants are left out: they are
// in the rows under the known customer, and would count twice.
func (mg *merger) leave(into string) {
	for _, ch := range mg.c.Chains {
		row := mg.out.row(ch)
		row.Outcome, row.Goal, row.Value, row.HasValue, row.Variants = output.Moved, "", 0, false, nil
		row.Currency = ""
		if ch.Live() {
			row.EndedAt = mg.now
			mg.out.decideChain(ch, output.Ended, output.ReasonMerged, ch.Step, into)
		}
		mg.out.chainRow(row)
	}
}
