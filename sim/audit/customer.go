package audit

import (
	"cmp"
	"slices"
)

// customer is everything known of one customer.
type customer struct {
	a             *Auditor
	id            string
	firstPosition int              // of the first record
	eventIDs      map[string]int64 // ids of the records, and when each was new; asked by key only
	unseen        bool             // a merge made them; no record about them came yet
	reachedAt     int              // position of the log at which a record, timer or slot last reached them

	// Profile.
	traits      map[string]any
	traitTimes  map[string]traitTime // asked by key only
	tags        map[string]bool
	device      device
	consent     map[string]consentFact // by category
	preferences map[string]consentFact // by channel
	disturb     map[string]consentFact // by channel; "" is all
	events      []*Event               // every track record, in the order of the log

	states      []campaignState // one for each campaign of the auditor
	chains      []*chain        // every chain ever, in the order of entry
	pending     []*pending      // deliveries without a final state, oldest first
	capUses     []capUse
	dedupeLocks map[string]dedupeLock // by key; asked by key only

	// What goes on while a record or timer is applied.
	current         *Event          // the record; nil for a timer
	depth           int             // of the record: how many steps led to it one after the other
	changes         []traitChange   // traits that it changed
	stepsChanged    bool            // a step changed the profile
	changeDue       int64           // for when that step was planned
	changeLate      bool            // the step was late
	emitted         []emittedRecord // made by steps and not yet applied
	applyingEmitted bool

	// End of the customer.
	mergedInto    string // the known customer that they became
	expiresAt     int64  // when an anonymous customer is forgotten; 0: never
	expired       bool
	firstDelivery int // index of the first delivery after they last expired
}

// campaignState is what is known of one customer with regard to one campaign: of its trigger, its
// pause and its versions. Chains are kept apart.
type campaignState struct {
	entries int           // chains so far, which is the last entry number
	queued  []queuedEntry // that a pause kept
	slot    int64         // when the customer follows the last version; 0: they do

	// Inactivity.
	latest  *Event // the event from which the timer counts
	armed   bool
	armedBy *bulkScan // the timer counts from when this scan reaches the customer; nil: at once
	due     int64

	// Segments and thresholds.
	inside        bool // in the segment, or above the threshold
	hasValue      bool // a threshold has had a value
	observed      bool
	observedAt    int64       // as of when
	observedBy    *bulkScan   // windows count from when this scan reaches the customer; nil: at once
	windowEntries []candidate // entries into a group that wait for the customer's other timers

	groupPending bool     // a timer passed the checks before the group, which is left
	usedEvents   []*Event // of streaks that are complete
	dates        dateState
}

// customer returns the customer with the id, whom it adds if there is none; first says that it did.
func (a *Auditor) customer(id string) (c *customer, first bool) {
	at, found := slices.BinarySearchFunc(a.customers, id, func(c *customer, id string) int {
		return cmp.Compare(c.id, id)
	})
	if found {
		return a.customers[at], false
	}
	c = &customer{
		a: a, id: id, firstPosition: a.position, eventIDs: map[string]int64{},
		traits: map[string]any{}, traitTimes: map[string]traitTime{}, tags: map[string]bool{},
		dedupeLocks: map[string]dedupeLock{},
		consent:     map[string]consentFact{}, preferences: map[string]consentFact{}, disturb: map[string]consentFact{},
	}
	a.restoreEventIDs(c)
	c.states = make([]campaignState, len(a.campaigns))
	a.addFutureSlots(c)
	a.customers = slices.Insert(a.customers, at, c)
	return c, true
}

// find returns the customer with the id; nil if there is none.
func (a *Auditor) find(id string) *customer {
	for _, c := range a.customers {
		if c.id == id {
			return c
		}
	}
	return nil
}

// hasCustomer reports whether there is a customer with the id.
func (a *Auditor) hasCustomer(id string) bool {
	return slices.ContainsFunc(a.customers, func(c *customer) bool { return c.id == id })
}

// update is "update profile and counters" of the text. The record is added to the customer's events
// here, so that a wait which it opens further on can look back at it.
func (c *customer) update(a *Auditor, e *Event) {
	c.updateConsent(e)
	if e.Type == TypeIdentify {
		for name, value := range e.Traits { // each member on its own: no order shows
			if c.mayOverwrite(name, e) {
				c.setTrait(name, value)
				c.traitTimes[name] = traitTime{eventTime: e.Time, logTime: a.now}
			}
		}
		return
	}
	e.streaks = map[string]bool{}
	for _, def := range a.campaigns {
		m := Match{Event: def.Trigger.Event, Where: def.Trigger.Where}
		if def.Trigger.Kind == KindStreak && def.observes() && m.holds(e, e, c) {
			e.streaks[def.Name] = true
		}
	}
	c.events = append(c.events, e)
	c.pruneWindows(e)
}

// chainsInOrder returns every chain, ended ones too, by (campaign name, entry number).
func (c *customer) chainsInOrder() []*chain {
	all := slices.Clone(c.chains)
	slices.SortFunc(all, func(x, y *chain) int {
		return cmp.Or(cmp.Compare(x.campaign, y.campaign), cmp.Compare(x.entry, y.entry))
	})
	return all
}

// liveChains returns the number of live chains.
func (c *customer) liveChains() int {
	n := 0
	for _, ch := range c.chains {
		if ch.live() {
			n++
		}
	}
	return n
}

// forgetChains drops the ended chains for which nothing can be counted any more.
func (c *customer) forgetChains() {
	for _, ch := range c.chains {
		ch.forget(c.a)
	}
}
