package audit

import (
	"math"
	"slices"
)

// A timer that fires more than lateAfter past its due is late. After a downtime, late timers wait
// behind the catch-up barrier until log time has moved on by barrierTime, so that the backlog of
// events is applied first. Both are in ms.
const (
	lateAfter   = 5 * 60_000
	barrierTime = 60_000
)

// updateBarrier ends a catch-up barrier that is over, and begins one if log time jumped from before
// past a timer. The barrier also begins while customers are still migrated to a new version,
// because what is planned at their slots is late too.
func (a *Auditor) updateBarrier(before int64) {
	if a.now >= a.barrierUntil {
		a.barrierUntil = 0
	}
	if a.barrierUntil != 0 || a.now-before <= lateAfter {
		return
	}
	// Also where the jump passes slots of a new version: what is planned at them is late too.
	slots := a.lastVersionAt != 0 && a.migratedUntil < a.lastVersionAt+migrationTime
	if slots || slices.ContainsFunc(a.customers, func(c *customer) bool {
		t, ok := c.first()
		return ok && t.due <= a.now-lateAfter
	}) {
		a.barrierUntil, a.barrierMark = a.now+barrierTime, a.now-lateAfter
	}
}

// barrier returns the instant up to which timers wait.
func (a *Auditor) barrier() int64 {
	if a.barrierUntil == 0 {
		return math.MinInt64
	}
	return a.barrierMark
}
