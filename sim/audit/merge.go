package audit

import "slices"

// TypeAlias is the type of a record that says who an anonymous customer is.
const TypeAlias = "alias"

// Moved is the outcome of a chain that goes on under another customer, or that had to end because
// one came.
const Moved = "merged"

// chainOrigin is the customer and number under which a chain was entered. Its deliveries are named
// after them, also after a merge.
type chainOrigin struct {
	customer string
	entry    int
}

// origin returns those of the chain.
func (ch *chain) origin() chainOrigin {
	if ch.enteredAs != (chainOrigin{}) {
		return ch.enteredAs
	}
	return chainOrigin{ch.customer.id, ch.entry}
}

// MergingCustomer is an anonymous customer on the way to the known one.
type MergingCustomer struct {
	state *customer // nil: no record about them came before
}

// Into returns the known customer that an anonymous one became; empty for the others.
func (a *Auditor) Into(id string) string {
	if c := a.find(id); c != nil {
		return c.mergedInto
	}
	return ""
}

// IsNew reports whether a record of a customer who merged is the first of its id, and keeps the id.
func (a *Auditor) IsNew(customer, id string) bool {
	c := a.find(customer)
	if c.knowsEvent(id) {
		return false
	}
	c.eventIDs[id] = a.now
	return true
}

// MakeTombstone takes an anonymous customer out to be merged into a known one: nothing of them is
// left but where they went. ok is false if they merged before, or if the record is a duplicate.
func (a *Auditor) MakeTombstone(customer, id, into string) (m *MergingCustomer, ok bool) {
	a.position++
	c, first := a.customer(customer)
	if c.mergedInto != "" || c.knowsEvent(id) {
		return nil, false
	}
	c.eventIDs[id] = a.now
	c.mergedInto = into
	if first {
		return &MergingCustomer{}, true
	}
	c.forgetChains()
	for _, ch := range c.chains {
		row := ch.result()
		if !ch.forgotten {
			if ch.live() {
				row.EndedAt = a.now
			}
			row.Outcome, row.Goal, row.Value, row.Hits, row.Variants = Moved, "", 0, nil, nil
		}
		a.closedRows = append(a.closedRows, row)
		ch.handedBeforeMerge = map[string]int{}
		for _, s := range ch.def.Steps {
			if s.Send != nil {
				for _, channel := range s.Send.Channels {
					ch.handedBeforeMerge[s.ID+"\x00"+channel] = c.messageNumber(ch, s.ID, channel) + 1
				}
			}
		}
	}
	state := *c
	*c = tombstone(a, c)
	return &MergingCustomer{&state}, true
}

// tombstone returns what stays of a customer who merged.
func tombstone(a *Auditor, c *customer) customer {
	return customer{
		a: a, id: c.id, firstPosition: c.firstPosition, eventIDs: c.eventIDs, mergedInto: c.mergedInto,
		traits:     map[string]any{},
		traitTimes: map[string]traitTime{},
		states:     make([]campaignState, len(a.campaigns)),
	}
}

// Merge adds the state of an anonymous customer to the known one. Goals and stops that one of the
// two did end chains of the other; then chains end that are too many of a campaign or group; then
// counts that both reached together start chains.
func (a *Auditor) Merge(known string, m *MergingCustomer) {
	a.position++
	c, first := a.customer(known)
	if m.state == nil {
		c.unseen = c.unseen || first
		return
	}
	c.unseen = false
	o := m.state
	reached := a.countsReachedTogether(c, o)
	a.mergeInactivity(c, o)
	own, came := slices.Clone(c.chains), a.moveChains(c, o)
	c.mergeProfile(o)
	mine, theirs := c.recentEvents(), o.recentEvents()
	rest := append(notRecent(c.events, mine), notRecent(o.events, theirs)...)
	c.events = append(rest, mergeByTime(mine, theirs)...)
	a.observeAll(came, mine)
	a.observeAll(own, theirs)
	a.endSurplus(c, came)
	var all []candidate
	for _, i := range reached {
		if t, ok := a.completedCount(c, i); ok {
			all = append(all, t)
		}
	}
	a.admit(c, all)
	a.runToQuiescence(c)
	a.applyEmitted(c)
	c.forgetChains()
}

// Erased reports whether the customer was erased.
func (a *Auditor) Erased(id string) bool { return a.erased[id] }

// Erase forgets a customer: what was handed off and has not left is taken back. The rows of their
// chains stay as they are. ok is false if they were erased before.
func (a *Auditor) Erase(id string) (ok bool) {
	if a.erased[id] {
		return false
	}
	if a.erased == nil {
		a.erased = map[string]bool{}
	}
	a.erased[id] = true
	c := a.find(id)
	if c == nil {
		return true
	}
	for _, p := range slices.Clone(c.pending) {
		p.finish(a, Recalled)
	}
	for _, ch := range c.chains {
		if !ch.forgottenAtMerge {
			a.closedRows = append(a.closedRows, ch.result())
		}
	}
	a.customers = slices.DeleteFunc(a.customers, func(o *customer) bool { return o == c })
	return true
}
