package machine

import (
	"bytes"
	"cmp"
	"slices"
	"sort"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/jsonvalue"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
)

// maxMergedUses bounds the uses of one cap that a merge leaves; any cap's limit is lower.
const maxMergedUses = 4096

// mergeCustomer adds what the other customer has, and returns the chains that move, renumbered
// and not yet among the known one's. Remembered events are not touched.
func (m *Machine) mergeCustomer(other *customer.Customer) (moved []*customer.Chain) {
	c := m.c
	m.mergeTimers(other) // looks at the counters of both
	c.CreatedAt = min(c.CreatedAt, other.CreatedAt)
	for i := range other.Counters {
		c.MergeCounter(&other.Counters[i])
	}
	for i := range other.Windows {
		c.MergeWindow(&other.Windows[i])
	}
	for i := range other.Streaks {
		m.mergeStreak(&other.Streaks[i])
	}
	m.mergeDates(other)
	for _, tag := range other.Tags {
		c.Tag(tag)
	}
	for _, x := range other.Consents {
		if old := c.Consent(x.Subject, x.Name); old == nil || old.At < x.At {
			m.setConsent(x)
		}
	}
	moved = m.renumberChains(other)
	m.mergeUses(other)
	m.mergeLocks(other)
	c.MergeEntries(other)
	c.Uncounted = sortedSet(append(c.Uncounted, other.Uncounted...))
	if room := maxQueued - len(c.Queue); room > 0 {
		c.Queue = append(c.Queue, other.Queue[:min(room, len(other.Queue))]...)
	}
	m.mergeTraits(other, moved)
	return moved
}

// mergeTraits lays the known one's traits over the other's. Rests of chains that go by
// the time zone follow it.
func (m *Machine) mergeTraits(other *customer.Customer, moved []*customer.Chain) {
	m.scope.Customer.Set(other)
	theirs := m.zone(nil)
	m.scope.Customer.Set(m.c)
	if mine := m.c.Device; mine.Name == "" || other.Device.Name != "" && other.Device.At > mine.At {
		m.c.Device = other.Device
	}
	if theirs := m.mergeStamps(other); len(theirs) > 0 {
		m.changeTraits(jsonvalue.Merge(theirs, orEmpty(m.c.Traits)))
	}
	if m.zone(nil) != theirs {
		m.replanLocal(moved)
	}
}

// orEmpty is an object where there is none.
func orEmpty(traits []byte) []byte {
	if len(traits) == 0 {
		return []byte("{}")
	}
	return traits
}

// mergeStreak adds the marks of a streak; one that is complete only now counts no more.
func (m *Machine) mergeStreak(from *customer.Streak) {
	p := m.set.ByName[from.Campaign]
	if p == nil {
		return
	}
	t, ok := p.Trigger.(*program.StreakTrigger)
	if !ok || t.Spec != from.Spec {
		return
	}
	to := m.ensureStreak(p, t)
	if to == nil {
		return
	}
	if from.After > to.After {
		to.After = from.After
		to.Marks = slices.DeleteFunc(to.Marks, func(k customer.Mark) bool { return k.Time < to.After })
	}
	for _, k := range from.Marks {
		to.Mark(k, t.Length, t.MaxGap)
	}
}

// mergeDates adds the occurrences that fired for the other, and what is planned where
// the known one has nothing; triggers bring it in line with the profile afterwards.
func (m *Machine) mergeDates(other *customer.Customer) {
	c := m.c
	for _, w := range other.Dates {
		i := sort.Search(len(c.Dates), func(i int) bool { return !c.Dates[i].Before(w.Campaign, w.Offset) })
		if i == len(c.Dates) || c.Dates[i].Campaign != w.Campaign || c.Dates[i].Offset != w.Offset {
			if len(c.Dates) < customer.MaxDates {
				c.Dates = slices.Insert(c.Dates, i, w)
			}
			continue
		}
		to := &c.Dates[i]
		if to.Spec != w.Spec {
			continue
		}
		fired := append(slices.Clone(to.Fired), w.Fired...)
		slices.Sort(fired)
		fired = slices.Compact(fired)
		to.Fired = fired[max(0, len(fired)-customer.MaxFired):]
		if to.HasFired(to.Number) {
			to.Due, to.Number = 0, 0
		}
	}
}

// mergeTimers keeps the inactivity timer of the one who did the event last. Where neither did it,
// the earlier instant holds.
func (m *Machine) mergeTimers(other *customer.Customer) {
	for _, p := range m.set.Programs {
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
		switch mine, theirs := last(m.c), last(other); {
		case theirs > mine && armed:
			m.c.SetWatch(other.Watches[i])
		case theirs > mine:
			m.c.DropWatch(p.Name)
		case theirs < 0 && mine < 0 && armed:
			if j, both := m.c.Watch(p.Name); !both || other.Watches[i].Due < m.c.Watches[j].Due {
				m.c.SetWatch(other.Watches[i])
			}
		default: // the known one did it last
		}
	}
}

// renumberChains gives the other's chains, and what names them, the numbers that follow on the
// known one's entries.
func (m *Machine) renumberChains(other *customer.Customer) []*customer.Chain {
	c := m.c
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
	for i := range other.Holds {
		other.Holds[i].Entry += base(other.Holds[i].Campaign)
	}
	for _, p := range other.Pending {
		p.Delivery.Customer = c.ID
		p.Delivery.Entry += base(p.Delivery.Campaign)
		if len(c.Pending) >= customer.MaxPending {
			m.settle(p.Delivery, output.StatusRecall, output.Recalled, output.ReasonPending)
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

// mergeUses adds what was sent under caps: each delivery once.
func (m *Machine) mergeUses(other *customer.Customer) {
	for i := range other.CapUses {
		from := &other.CapUses[i]
		to := m.c.EnsureCapUse(from.Cap)
		to.Uses = append(to.Uses, from.Uses...)
		slices.SortStableFunc(to.Uses, func(a, b customer.Use) int {
			return cmp.Or(cmp.Compare(a.At, b.At), bytes.Compare(a.ID[:], b.ID[:]))
		})
		to.Uses = slices.CompactFunc(to.Uses, func(a, b customer.Use) bool { return a == b })
		to.Uses = to.Uses[max(0, len(to.Uses)-maxMergedUses):]
	}
}

// mergeLocks adds the dedupe keys; of a key that both hold the later end holds.
func (m *Machine) mergeLocks(other *customer.Customer) {
	m.dropHolds()
	for _, h := range other.Holds {
		i, found := m.c.Hold(h.Key)
		switch {
		case found && m.c.Holds[i].Until >= h.Until, h.Until <= m.now:
		case found:
			m.c.Holds[i] = h
		case len(m.c.Holds) < maxHolds:
			m.c.Holds = slices.Insert(m.c.Holds, i, h)
		}
	}
}
