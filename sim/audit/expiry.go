package audit

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// anonymousPrefix begins the ids of anonymous customers.
const anonymousPrefix = "anon:"

// defaultExpiry is how long an anonymous customer stays without a record, in ms, where the policy
// does not say.
const defaultExpiry = 90 * 24 * 3_600_000

// postponeExpiry counts the expiry of an anonymous customer from now, because a record about them
// came.
func (a *Auditor) postponeExpiry(c *customer) {
	if strings.HasPrefix(c.id, anonymousPrefix) && !a.policy.Keep {
		c.expiresAt = a.now + cmp.Or(a.policy.Expire.Milliseconds(), defaultExpiry)
	}
}

// expiryTimer returns the timer at which an anonymous customer is forgotten, unless a chain is
// live, a delivery has no result, or a pause has queued an entry. What steps set or made at that
// instant comes first.
func (c *customer) expiryTimer() (t timer, ok bool) {
	if c.expiresAt == 0 || c.expired || len(c.pending) > 0 || c.liveChains() > 0 ||
		len(c.emitted) > 0 || c.applyingEmitted || c.stepsChanged ||
		slices.ContainsFunc(c.states, func(s campaignState) bool {
			return len(s.queued) > 0 || s.groupPending || len(s.windowEntries) > 0
		}) {
		return timer{}, false
	}
	return timer{due: c.expiresAt, customer: c, campaign: math.MaxInt, expiry: true}, true
}

// expireCustomer forgets a customer with all that is known of them, except the ids of their
// records: a duplicate stays one.
func (a *Auditor) expireCustomer(c *customer) {
	a.note(NoteExpired)
	for _, ch := range c.chains {
		if ch.endedAt > c.expiresAt {
			a.note(NoteExpiredLate)
		}
		if !ch.forgottenAtMerge {
			a.closedRows = append(a.closedRows, ch.result())
		}
	}
	c.expired = true
	a.customers = slices.DeleteFunc(a.customers, func(o *customer) bool { return o == c })
	for _, t := range a.bulkScans {
		t.remaining = slices.DeleteFunc(t.remaining, func(o *customer) bool { return o == c })
	}
	if a.formerIDs == nil {
		a.formerIDs = map[string]map[string]int64{}
	}
	a.formerIDs[c.id] = c.eventIDs
}

// restoreEventIDs gives a customer who comes again the ids of their earlier records.
func (a *Auditor) restoreEventIDs(c *customer) {
	if seen, ok := a.formerIDs[c.id]; ok {
		a.note(NoteReturned)
		c.eventIDs = seen
	}
	c.firstDelivery = len(a.deliveries)
}
