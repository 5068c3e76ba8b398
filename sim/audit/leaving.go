package audit

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// anonymous begins the ids of customers without a name.
const anonymous = "anon:"

// defaultExpiry is how long an anonymous customer stays who does nothing, ms.
const defaultExpiry = 90 * 24 * 3_600_000

// stays notes that a record of the log came about a customer.
func (a *Auditor) stays(c *customer) {
	if strings.HasPrefix(c.id, anonymous) && !a.house.Keep {
		c.leavesAt = a.now + cmp.Or(a.house.Expire.Milliseconds(), defaultExpiry)
	}
}

// leaves is when an anonymous customer is forgotten, unless a chain lives, a delivery has
// no result or a pause keeps an entry. What steps set or made at that instant comes first.
func (c *customer) leaves() (t timer, ok bool) {
	if c.leavesAt == 0 || c.gone || len(c.pending) > 0 || len(c.made) > 0 || c.making || c.dirty || c.alive() > 0 ||
		slices.ContainsFunc(c.per, func(s standing) bool {
			return len(s.kept) > 0 || s.asked || len(s.waiting) > 0
		}) {
		return timer{}, false
	}
	return timer{due: c.leavesAt, customer: c, campaign: math.MaxInt, leaves: true}, true
}

// expire forgets a customer with all that is known of them: but not the ids of their
// records, which are of the log.
func (a *Auditor) expire(c *customer) {
	a.note(NoteForgotten)
	for _, ch := range c.chains {
		if ch.endedAt > c.leavesAt {
			a.note(NoteForgottenLate)
		}
		if !ch.gone {
			a.left = append(a.left, ch.result())
		}
	}
	c.gone = true
	a.customers = slices.DeleteFunc(a.customers, func(o *customer) bool { return o == c })
	for _, t := range a.bulkScans {
		t.left = slices.DeleteFunc(t.left, func(o *customer) bool { return o == c })
	}
	if a.ids == nil {
		a.ids = map[string]map[string]int64{}
	}
	a.ids[c.id] = c.seen
}

// returns gives a customer who was forgotten what the log still knows.
func (a *Auditor) returns(c *customer) {
	if seen, ok := a.ids[c.id]; ok {
		a.note(NoteReturned)
		c.seen = seen
	}
	c.begins = len(a.deliveries)
}

// known says whether there is such a customer.
func (a *Auditor) known(id string) bool {
	return slices.ContainsFunc(a.customers, func(c *customer) bool { return c.id == id })
}

// Notes about anonymous customers who are forgotten.
const (
	NoteForgotten     = "anonymous customer forgotten"
	NoteForgottenLate = "anonymous customer forgotten when the last chain had ended"
	NoteReturned      = "anonymous customer came again"
)

func leavingNotes() []string { return []string{NoteForgotten, NoteForgottenLate, NoteReturned} }
