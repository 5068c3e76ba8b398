package machine

import (
	"strings"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
)

// markActive notes that a record of the log came about the customer: an anonymous one about whom none
// comes for the workspace's idle time is forgotten. What steps emit is no such record.
func (m *Machine) markActive() {
	if m.deriving || !strings.HasPrefix(m.c.ID, customer.AnonymousPrefix) {
		return
	}
	switch limit := m.set.Rules.Idle; limit {
	case program.NeverIdle:
		m.c.IdleAt = 0
	case 0:
		m.c.IdleAt = m.now + program.DefaultIdle
	default:
		m.c.IdleAt = m.now + limit
	}
}

// expire marks the customer as forgotten when that is due at or before limit (ms); the caller deletes
// them. It is the last of the timers of its instant, so that what is due at the same time happens.
func (m *Machine) expire(limit int64) {
	if m.deriving {
		return
	}
	if at := m.c.Expiry(); at != 0 && at <= limit {
		m.c.Expired = true
		m.rows.decide(output.Decision{Kind: output.Forgotten, Reason: output.ReasonIdle})
	}
}

// expiresBefore reports whether the customer expires before a timer that is due at an instant (ms). A
// timer later than the expiry must not fire, however late both come: had they been on time, there
// would have been no customer. As long as events or changes of the profile wait to be applied, the
// expiry waits too.
func (m *Machine) expiresBefore(due int64) bool {
	at := m.c.Expiry()
	return at != 0 && at < due && !m.deriving && !m.emitter.pending() && !m.triggers.profileChanged()
}
