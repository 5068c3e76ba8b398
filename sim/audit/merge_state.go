package audit

import (
	"cmp"
	"slices"
)

// countsReachedTogether returns the campaigns whose number only both customers together have
// reached.
func (a *Auditor) countsReachedTogether(c, o *customer) (reached []int) {
	for i, def := range a.campaigns {
		t := def.Trigger
		if t.Kind != KindCount {
			continue
		}
		mine, theirs := len(c.countedEvents(t.Event, t.Where)), len(a.countedOf(o, t))
		if mine < t.Reaches && theirs < t.Reaches && mine+theirs >= t.Reaches {
			reached = append(reached, i)
		}
	}
	return reached
}

// countedOf returns the events that count for a trigger, of a customer who may be from another
// partition.
func (a *Auditor) countedOf(o *customer, t Trigger) []*Event {
	return o.eventsFrom(a.countsFrom(t.Event, t.Where), t.Event, t.Where)
}

// completedCount returns the entry by a count that the merge completed. Its trigger is the last
// event, and only its name and time where it is not among the recent events.
func (a *Auditor) completedCount(c *customer, i int) (candidate, bool) {
	t, last := a.campaigns[i].Trigger, (*Event)(nil)
	for _, e := range c.countedEvents(t.Event, t.Where) {
		if last == nil || e.Time >= last.Time {
			last = e
		}
	}
	trigger := &Event{Name: last.Name, Time: last.Time, Type: last.Type}
	for _, e := range c.recentEvents() {
		if e.Time == last.Time && (Match{Event: t.Event, Where: t.Where}).holds(e, e, c) {
			copied := *e
			trigger = &copied
		}
	}
	trigger.ID = AnyID
	a.note(NoteMergeCount)
	return candidate{campaign: i, trigger: trigger, planned: a.now}, a.checkAge(i, trigger)
}

// mergeInactivity keeps the inactivity timer of the one who did the event last; where neither did
// it, the earlier instant.
func (a *Auditor) mergeInactivity(c, o *customer) {
	latest := func(all []*Event) int64 {
		at := int64(-1)
		for _, e := range all {
			at = max(at, e.Time)
		}
		return at
	}
	for i, def := range a.campaigns {
		t := def.Trigger
		if t.Kind != KindInactivity {
			continue
		}
		s, from := &c.states[i], o.states[i]
		mine, theirs := latest(c.countedEvents(t.Event, t.Where)), latest(a.countedOf(o, t))
		neither := mine < 0 && theirs < 0
		if theirs > mine || neither && from.armed && (!s.armed || from.due < s.due) {
			s.armed, s.due, s.latest = from.armed, from.due, from.latest
		}
	}
}

// moveChains gives the chains of o to c, as they are and under the next entry numbers. Those that
// are forgotten count for re-entry alone.
func (a *Auditor) moveChains(c, o *customer) (came []*chain) {
	for _, ch := range o.chains {
		if ch.enteredAs == (chainOrigin{}) {
			ch.enteredAs = ch.origin()
		}
		ch.entry += c.states[ch.campaign].entries
		ch.def, ch.customer, ch.forgottenAtMerge = a.campaigns[ch.campaign], c, ch.forgotten
		c.chains = append(c.chains, ch)
		if !ch.forgottenAtMerge {
			came = append(came, ch)
		}
	}
	for i := range o.states {
		c.states[i].entries += o.states[i].entries
	}
	c.pending = append(c.pending, o.pending...)
	for i := range came {
		if came[i].live() {
			a.note(NoteChainMoved)
		}
	}
	if len(o.pending) > 0 {
		a.note(NotePendingMoved)
	}
	return came
}

// mergeProfile adds the profile of o to that of c: traits, tags, consent, uses of caps and dedupe
// locks.
func (c *customer) mergeProfile(o *customer) {
	for name, value := range o.traits { // each on its own: no order shows
		mine, theirs := c.traitTimes[name], o.traitTimes[name]
		removed := mine.eventTime > theirs.eventTime && c.a.now < mine.logTime+traitMemory
		if _, is := c.traits[name]; !is && !removed {
			c.traits[name], c.traitTimes[name] = value, o.traitTimes[name]
		}
	}
	for tag, is := range o.tags { // each on its own: no order shows
		c.tags[tag] = c.tags[tag] || is
	}
	mergeFacts(c.consent, o.consent)
	mergeFacts(c.preferences, o.preferences)
	mergeFacts(c.disturb, o.disturb)
	if len(c.capUses) > 0 && len(o.capUses) > 0 {
		c.a.note(NoteUsesAdded)
	}
	c.capUses = append(c.capUses, o.capUses...)
	for key, h := range o.dedupeLocks { // each on its own: no order shows
		if mine, is := c.dedupeLocks[key]; !is || mine.until < h.until {
			c.dedupeLocks[key] = h
		}
	}
}

// mergeFacts keeps of each what was said later. What was withdrawn with null is forgotten, as if it
// had never been said.
func mergeFacts(known, other map[string]consentFact) {
	for about, s := range other { // each on its own: no order shows
		if mine, is := known[about]; !s.withdrawn && (!is || mine.withdrawn || mine.at < s.at) {
			known[about] = s
		}
	}
}

// observeAll has chains see what the other customer did, as if it came now: goals, reversals and
// stops, not waits.
func (a *Auditor) observeAll(chains []*chain, events []*Event) {
	a.skipWaits = true
	for _, e := range events {
		for _, ch := range chains {
			live := ch.live()
			ch.observe(a, e)
			if live && !ch.live() {
				a.note(NoteMergeEnds)
			}
		}
	}
	a.skipWaits = false
}

// notRecent returns the events that are not among the recent ones. They only count, so their order
// does not matter.
func notRecent(all, kept []*Event) (rest []*Event) {
	for _, e := range all {
		if !slices.Contains(kept, e) {
			rest = append(rest, e)
		}
	}
	return rest
}

// mergeByTime merges events by their time; those of each list keep their order.
func mergeByTime(own, more []*Event) (all []*Event) {
	for len(own) > 0 || len(more) > 0 {
		from := &own
		if len(own) == 0 || len(more) > 0 && more[0].Time < own[0].Time {
			from = &more
		}
		all = append(all, (*from)[0])
		*from = (*from)[1:]
	}
	return all
}

// endSurplus ends the chains that are too many of a campaign and key, and of a group.
func (a *Auditor) endSurplus(c *customer, came []*chain) {
	moved := func(ch *chain) int {
		if slices.Contains(came, ch) {
			return 1
		}
		return 0
	}
	stop := func(ch *chain) {
		a.note(NoteSurplus)
		ch.end(a, Moved)
		ch.recall(a)
	}
	for _, ch := range came {
		var live []*chain
		for _, other := range c.chains {
			if ch.live() && other.live() && other.campaign == ch.campaign && other.key == ch.key {
				live = append(live, other)
			}
		}
		slices.SortStableFunc(live, func(x, y *chain) int {
			return cmp.Or(cmp.Compare(y.stepNumber(), x.stepNumber()), cmp.Compare(x.enteredAt, y.enteredAt),
				cmp.Compare(moved(x), moved(y)))
		})
		for len(live) > ch.def.Reentry.maxLive() {
			stop(live[len(live)-1])
			live = live[:len(live)-1]
		}
	}
	for _, ch := range slices.Clone(c.chains) {
		for _, other := range c.chains {
			if ch == other || !ch.live() || !other.live() || ch.def.Policy.Group == "" ||
				ch.def.Policy.Group != other.def.Policy.Group {
				continue
			}
			if cmp.Or(cmp.Compare(other.def.Policy.Priority, ch.def.Policy.Priority),
				cmp.Compare(ch.enteredAt, other.enteredAt), cmp.Compare(moved(ch), moved(other))) > 0 {
				stop(ch)
			}
		}
	}
}

// stepNumber returns the number of the step at which the chain is, the end included.
func (ch *chain) stepNumber() int {
	if ch.stepID == End {
		return len(ch.def.Steps)
	}
	return ch.index()
}
