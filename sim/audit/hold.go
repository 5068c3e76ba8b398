package audit

import (
	"math"
	"slices"
)

// After a downtime timers that are more than lateAfter late wait until log time has
// moved on by holdFor, so that the backlog is applied first.
const (
	lateAfter = 5 * 60_000
	holdFor   = 60_000
)

// hold ends a wait that is over, and begins one when log time jumped from before
// over a timer.
func (a *Auditor) hold(before int64) {
	if a.now >= a.holdUntil {
		a.holdUntil = 0
	}
	if a.holdUntil != 0 || a.now-before <= lateAfter {
		return
	}
	// Over the turns of a new version always: what is planned at them is late too.
	turns := a.succeeded != 0 && a.turned < a.succeeded+turnsFor
<<<<<<< HEAD
	if turns || slices.ContainsFunc(a.customers, func(c *customer) bool {
		t, ok := c.first()
		return ok && t.due <= a.now-lateAfter
	}) {
=======
	if turns || slices.ContainsFunc(a.customers, func(c *customer) bool { return a.jumped(c, a.now-lateAfter) }) {
>>>>>>> c9d2ebc (sim/audit: have a jump of the clock hold chains whose triggers are still planned)
		a.holdUntil, a.holdMark = a.now+holdFor, a.now-lateAfter
	}
}

<<<<<<< HEAD
=======
// jumped says whether a timer of the customer is due at or before an instant. Of triggers only
// those count that no new version has still to plan.
func (a *Auditor) jumped(c *customer, at int64) (is bool) {
	planning := a.planning(c)
	c.timers(func(t timer) {
		trigger := t.chain == nil && t.pending == nil && !t.leaves
		is = is || t.due <= at && !(trigger && planning)
	})
	return is
}

// planning says whether what a new version plans for the customer has still to take its turn:
// time does not jump over it.
func (a *Auditor) planning(c *customer) bool {
	return slices.ContainsFunc(a.bulkScans, func(t *bulkScan) bool { return t.plans && slices.Contains(t.left, c) })
}

>>>>>>> c9d2ebc (sim/audit: have a jump of the clock hold chains whose triggers are still planned)
// held is the instant up to which timers wait.
func (a *Auditor) held() int64 {
	if a.holdUntil == 0 {
		return math.MinInt64
	}
	return a.holdMark
}
