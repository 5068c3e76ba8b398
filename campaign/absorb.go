package campaign

import (
	"bytes"
	"cmp"
	"slices"
	"sort"
)

// maxMergedUses bounds the uses of one cap that a merge leaves; any cap's limit is lower.
const maxMergedUses = 4096

// absorb adds what the other customer has, and returns the chains that move, renumbered
// and not yet among the known one's. Remembered events are not touched.
func (m *Machine) absorb(other *Customer) (moved []*Chain) {
	c := m.c
	m.absorbWatches(other) // looks at the counters of both
	c.CreatedAt = min(c.CreatedAt, other.CreatedAt)
	for i := range other.Counters {
		c.absorbCounter(&other.Counters[i])
	}
	for i := range other.Windows {
		c.absorbWindow(&other.Windows[i])
	}
	for i := range other.Streaks {
		m.absorbStreak(&other.Streaks[i])
	}
	m.absorbDates(other)
	for _, tag := range other.Tags {
		c.Tag(tag)
	}
	for _, x := range other.Consents {
		if old := c.consent(x.Subject, x.Name); old == nil || old.At < x.At {
			m.setConsent(x)
		}
	}
	moved = m.renumber(other)
	m.absorbUses(other)
	m.absorbHolds(other)
	c.absorbEntries(other)
	c.Uncounted = sortedSet(append(c.Uncounted, other.Uncounted...))
	if room := maxQueued - len(c.queue); room > 0 {
		c.queue = append(c.queue, other.queue[:min(room, len(other.queue))]...)
	}
	m.absorbTraits(other, moved)
	return moved
}

// absorbTraits lays the known one's traits over the other's. Rests of chains that go by
// the time zone follow it.
func (m *Machine) absorbTraits(other *Customer, moved []*Chain) {
	m.scope.customer.set(other)
	theirs := m.zone(nil)
	m.scope.customer.set(m.c)
	if mine := m.c.device; mine.name == "" || other.device.name != "" && other.device.at > mine.at {
		m.c.device = other.device
	}
	if theirs := m.absorbStamps(other); len(theirs) > 0 {
		m.setTraits(mergeTraits(theirs, orEmpty(m.c.Traits)))
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

// absorbStreak adds the marks of a streak; one that is complete only now counts no more.
func (m *Machine) absorbStreak(from *Streak) {
	p := m.set.byName[from.Campaign]
	if p == nil {
		return
	}
	t, ok := p.Trigger.(*StreakTrigger)
	if !ok || t.spec != from.Spec {
		return
	}
	to := m.ensureStreak(p, t)
	if to == nil {
		return
	}
	if from.After > to.After {
		to.After = from.After
		to.Marks = slices.DeleteFunc(to.Marks, func(k Mark) bool { return k.Time < to.After })
	}
	for _, k := range from.Marks {
		to.mark(k, t.Length, t.MaxGap)
	}
}

// absorbDates adds the occurrences that fired for the other, and what is planned where
// the known one has nothing; triggers bring it in line with the profile afterwards.
func (m *Machine) absorbDates(other *Customer) {
	c := m.c
	for _, w := range other.Dates {
		i := sort.Search(len(c.Dates), func(i int) bool { return !c.Dates[i].before(w.Campaign, w.Offset) })
		if i == len(c.Dates) || c.Dates[i].Campaign != w.Campaign || c.Dates[i].Offset != w.Offset {
			if len(c.Dates) < maxDates {
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
		to.Fired = fired[max(0, len(fired)-maxFired):]
		if to.fired(to.Number) {
			to.Due, to.Number = 0, 0
		}
	}
}

// absorbWatches keeps the inactivity of whoever did the event last. Where neither did it,
// the earlier instant holds.
func (m *Machine) absorbWatches(other *Customer) {
	for _, p := range m.set.programs {
		t, ok := p.Trigger.(*InactivityTrigger)
		if !ok {
			continue
		}
		id := counterID(t.Event, sourceOf(t.Where))
		last := func(c *Customer) int64 {
			if n := c.counter(id); n != nil && n.Count > 0 {
				return n.Last
			}
			return -1
		}
		i, armed := other.watch(p.Name)
		switch mine, theirs := last(m.c), last(other); {
		case theirs > mine && armed:
			m.c.setWatch(other.Watches[i])
		case theirs > mine:
			m.c.dropWatch(p.Name)
		case theirs < 0 && mine < 0 && armed:
			if j, both := m.c.watch(p.Name); !both || other.Watches[i].Due < m.c.Watches[j].Due {
				m.c.setWatch(other.Watches[i])
			}
		default: // the known one did it last
		}
	}
}

// renumber gives the other's chains, and what names them, the numbers that follow on the
// known one's entries.
func (m *Machine) renumber(other *Customer) []*Chain {
	c := m.c
	base := func(campaign string) uint32 {
		if e := c.entry(campaign, "", false); e != nil {
			return e.Number
		}
		return 0
	}
	for _, ch := range other.Chains {
		if ch.origin == nil {
			ch.origin = &origin{customer: other.ID, entry: ch.Entry}
		}
		ch.Entry += base(ch.Campaign)
	}
	for i := range other.Holds {
		other.Holds[i].Entry += base(other.Holds[i].Campaign)
	}
	for _, p := range other.Pending {
		p.Delivery.Customer = c.ID
		p.Delivery.Entry += base(p.Delivery.Campaign)
		if len(c.Pending) >= maxPending {
			m.settle(p.Delivery, StatusRecall, Recalled, ReasonPending)
			continue
		}
		c.Pending = append(c.Pending, p)
	}
	slices.SortStableFunc(c.Pending, func(a, b Pending) int { return cmp.Compare(a.Delivery.At, b.Delivery.At) })
	return other.Chains
}

// absorbUses adds what was sent under caps: each delivery once.
func (m *Machine) absorbUses(other *Customer) {
	for i := range other.CapUses {
		from := &other.CapUses[i]
		to := m.c.ensureCapUse(from.Cap)
		to.Uses = append(to.Uses, from.Uses...)
		slices.SortStableFunc(to.Uses, func(a, b Use) int {
			return cmp.Or(cmp.Compare(a.At, b.At), bytes.Compare(a.ID[:], b.ID[:]))
		})
		to.Uses = slices.CompactFunc(to.Uses, func(a, b Use) bool { return a == b })
		to.Uses = to.Uses[max(0, len(to.Uses)-maxMergedUses):]
	}
}

// absorbHolds adds the dedupe keys; of a key that both hold the later end holds.
func (m *Machine) absorbHolds(other *Customer) {
	m.dropHolds()
	for _, h := range other.Holds {
		i, found := m.c.hold(h.Key)
		switch {
		case found && m.c.Holds[i].Until >= h.Until, h.Until <= m.now:
		case found:
			m.c.Holds[i] = h
		case len(m.c.Holds) < maxHolds:
			m.c.Holds = slices.Insert(m.c.Holds, i, h)
		}
	}
}
