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
	if turns || slices.ContainsFunc(a.customers, func(c *customer) bool {
		t, ok := c.first()
		return ok && t.due <= a.now-lateAfter
	}) {
		a.holdUntil, a.holdMark = a.now+holdFor, a.now-lateAfter
	}
}

// held is the instant up to which timers wait.
func (a *Auditor) held() int64 {
	if a.holdUntil == 0 {
		return math.MinInt64
	}
	return a.holdMark
}
