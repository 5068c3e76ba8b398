package audit

import (
	"cmp"
	"slices"
)

// TypeAlias says who an anonymous customer is.
const TypeAlias = "alias"

// Moved is the outcome of a chain that goes on under another customer, or gave way to
// one that came.
const Moved = "merged"

// birth is under whom a chain was entered, which its deliveries are named after.
type birth struct {
	customer string
	entry    int
}

func (ch *chain) origin() birth {
	if ch.born != (birth{}) {
		return ch.born
	}
	return birth{ch.customer.id, ch.entry}
}

// Moving is an anonymous customer on the way to the known one.
type Moving struct{ state *customer } // nil: nobody had seen them before

// Into is the known customer that one became, empty for the others.
func (a *Auditor) Into(id string) string {
	if c := a.there(id); c != nil {
		return c.into
	}
	return ""
}

func (a *Auditor) there(id string) *customer {
	for _, c := range a.customers {
		if c.id == id {
			return c
		}
	}
	return nil
}

// Erased says whether a customer was erased.
func (a *Auditor) Erased(id string) bool { return a.erased[id] }

// Unseen says whether a record of a customer who merged is the first of its id.
func (a *Auditor) Unseen(customer, id string) bool {
	c := a.there(customer)
	if c.had(id) {
		return false
	}
	c.seen[id] = a.now
	return true
}

// Freeze makes an anonymous customer a known one: nothing of them is left but where they
// went. ok is false when they merged before, or the record came before.
func (a *Auditor) Freeze(customer, id, into string) (m *Moving, ok bool) {
	a.place++
	c, first := a.customer(customer)
	if c.into != "" || c.had(id) {
		return nil, false
	}
	c.seen[id] = a.now
	c.into = into
	if first {
		return &Moving{}, true
	}
	c.forget()
	for _, ch := range c.chains {
		row := ch.result()
		if !ch.forgotten {
			if ch.live() {
				row.EndedAt = a.now
			}
			row.Outcome, row.Goal, row.Value, row.Hits, row.Variants = Moved, "", 0, nil, nil
		}
		a.left = append(a.left, row)
		ch.carried = map[string]int{}
		for _, s := range ch.def.Steps {
			if s.Send != nil {
				for _, channel := range s.Send.Channels {
					ch.carried[s.ID+"\x00"+channel] = c.handed(ch, s.ID, channel) + 1
				}
			}
		}
	}
	state := *c
	*c = customer0(a, c)
	return &Moving{&state}, true
}

// customer0 is what stays of a customer who merged.
func customer0(a *Auditor, c *customer) customer {
	return customer{
		a: a, id: c.id, place: c.place, seen: c.seen, into: c.into, traits: map[string]any{},
		told: map[string]told{},
		per:  make([]standing, len(a.campaigns)),
	}
}

// Merge has the state of an anonymous customer come to the known one: goals and stops
// first, then what is too much of one campaign or group, then counts.
func (a *Auditor) Merge(known string, m *Moving) {
	a.place++
	c, first := a.customer(known)
	if m.state == nil {
		c.unmet = c.unmet || first
		return
	}
	c.unmet = false
	o := m.state
	reached := a.counts(c, o)
	a.idle(c, o)
	own, came := slices.Clone(c.chains), a.adopt(c, o)
	c.join(o)
	mine, theirs := c.memory(), o.memory()
	rest := append(unremembered(c.events, mine), unremembered(o.events, theirs)...)
	c.events = append(rest, inOrder(mine, theirs)...)
	a.observeAll(came, mine)
	a.observeAll(own, theirs)
	a.yield(c, came)
	var all []candidate
	for _, i := range reached {
		if t, ok := a.last(c, i); ok {
			all = append(all, t)
		}
	}
	a.admit(c, all)
	a.settle(c)
	a.derive(c)
	c.forget()
}

// counts are the campaigns whose number only both together have reached.
func (a *Auditor) counts(c, o *customer) (reached []int) {
	for i, def := range a.campaigns {
		t := def.Trigger
		if t.Kind != KindCount {
			continue
		}
		mine, theirs := len(c.counted(t.Event, t.Where)), len(a.countedOf(o, t))
		if mine < t.Reaches && theirs < t.Reaches && mine+theirs >= t.Reaches {
			reached = append(reached, i)
		}
	}
	return reached
}

// countedOf are the events that count of a customer of another partition.
func (a *Auditor) countedOf(o *customer, t Trigger) []*Event {
	return o.since(a.since(t.Event, t.Where), t.Event, t.Where)
}

// last is the entry by a count that a merge completed: its trigger is the last event, as
// far as it is remembered.
func (a *Auditor) last(c *customer, i int) (candidate, bool) {
	t, last := a.campaigns[i].Trigger, (*Event)(nil)
	for _, e := range c.counted(t.Event, t.Where) {
		if last == nil || e.Time >= last.Time {
			last = e
		}
	}
	trigger := &Event{Name: last.Name, Time: last.Time, Type: last.Type}
	for _, e := range c.memory() {
		if e.Time == last.Time && (Match{Event: t.Event, Where: t.Where}).holds(e, e, c) {
			copied := *e
			trigger = &copied
		}
	}
	trigger.ID = AnyID
	a.note(NoteMergeCount)
	return candidate{campaign: i, trigger: trigger, planned: a.now}, a.fresh(i, trigger)
}

// idle keeps the inactivity timer of the one who did the event last; where neither did it, the
// earlier instant.
func (a *Auditor) idle(c, o *customer) {
	last := func(all []*Event) int64 {
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
		s, from := &c.per[i], o.per[i]
		mine, theirs := last(c.counted(t.Event, t.Where)), last(a.countedOf(o, t))
		neither := mine < 0 && theirs < 0
		if theirs > mine || neither && from.armed && (!s.armed || from.due < s.due) {
			s.armed, s.due, s.latest = from.armed, from.due, from.latest
		}
	}
}

// adopt moves the chains: as they are, under the next numbers. Those that are forgotten
// count for re-entry alone.
func (a *Auditor) adopt(c, o *customer) (came []*chain) {
	for _, ch := range o.chains {
		if ch.born == (birth{}) {
			ch.born = ch.origin()
		}
		ch.entry += c.per[ch.campaign].entries
		ch.def, ch.customer, ch.gone = a.campaigns[ch.campaign], c, ch.forgotten
		c.chains = append(c.chains, ch)
		if !ch.gone {
			came = append(came, ch)
		}
	}
	for i := range o.per {
		c.per[i].entries += o.per[i].entries
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

// join adds up what is known of both.
func (c *customer) join(o *customer) {
	for name, value := range o.traits { // each on its own: no order shows
		removed := c.told[name].at > o.told[name].at && c.a.now < c.told[name].came+toldFor
		if _, is := c.traits[name]; !is && !removed {
			c.traits[name], c.told[name] = value, o.told[name]
		}
	}
	for tag, is := range o.tags { // each on its own: no order shows
		c.tags[tag] = c.tags[tag] || is
	}
	later(c.consent, o.consent)
	later(c.preferences, o.preferences)
	later(c.disturb, o.disturb)
	if len(c.uses) > 0 && len(o.uses) > 0 {
		c.a.note(NoteUsesAdded)
	}
	c.uses = append(c.uses, o.uses...)
	for key, h := range o.keys { // each on its own: no order shows
		if mine, is := c.keys[key]; !is || mine.until < h.until {
			c.keys[key] = h
		}
	}
}

// later keeps of each what was said later. What was taken back with null is forgotten, as
// if it had never been said.
func later(known, other map[string]said) {
	for about, s := range other { // each on its own: no order shows
		if mine, is := known[about]; !s.none && (!is || mine.none || mine.at < s.at) {
			known[about] = s
		}
	}
}

// observeAll has chains see what the other did under the other id as if it came now: goals,
// reversals and stops, not waits.
func (a *Auditor) observeAll(chains []*chain, events []*Event) {
	a.past = true
	for _, e := range events {
		for _, ch := range chains {
			live := ch.live()
			ch.observe(a, e)
			if live && !ch.live() {
				a.note(NoteMergeEnds)
			}
		}
	}
	a.past = false
}

// unremembered are the events that only count: their order does not matter.
func unremembered(all, kept []*Event) (rest []*Event) {
	for _, e := range all {
		if !slices.Contains(kept, e) {
			rest = append(rest, e)
		}
	}
	return rest
}

// inOrder merges events by their time; those of each keep their order.
func inOrder(own, more []*Event) (all []*Event) {
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

// yield ends the chains that are too many of a campaign and key, and of a group.
func (a *Auditor) yield(c *customer, came []*chain) {
	moved := func(ch *chain) int {
		if slices.Contains(came, ch) {
			return 1
		}
		return 0
	}
	stop := func(ch *chain) {
		a.note(NoteYield)
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
			return cmp.Or(cmp.Compare(y.along(), x.along()), cmp.Compare(x.enteredAt, y.enteredAt),
				cmp.Compare(moved(x), moved(y)))
		})
		for len(live) > ch.def.Reentry.most() {
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

// along is the number of the step at which a chain is.
func (ch *chain) along() int {
	if ch.at == End {
		return len(ch.def.Steps)
	}
	return ch.index()
}

// most is how many chains of a key may live.
func (r Reentry) most() int {
	if r.OnActive == ActiveParallel && r.MaxActive == 0 {
		return customerLimit
	}
	if r.OnActive == ActiveRestart || r.OnActive == ActiveRefresh {
		return 1
	}
	return max(1, r.MaxActive)
}

// Erase forgets a customer: what was handed off and has not left is taken back. The rows
// of their chains stay as they are. ok is false when they were erased before.
func (a *Auditor) Erase(id string) (ok bool) {
	if a.erased[id] {
		return false
	}
	if a.erased == nil {
		a.erased = map[string]bool{}
	}
	a.erased[id] = true
	c := a.there(id)
	if c == nil {
		return true
	}
	for _, p := range slices.Clone(c.pending) {
		p.finish(a, Recalled)
	}
	for _, ch := range c.chains {
		if !ch.gone {
			a.left = append(a.left, ch.result())
		}
	}
	a.customers = slices.DeleteFunc(a.customers, func(o *customer) bool { return o == c })
	return true
}
