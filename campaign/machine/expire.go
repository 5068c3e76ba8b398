package machine

import (
	"strings"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
)

// markActive notes that a record of the log came about the customer: an anonymous one who
// stays without another is forgotten.
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

// expire forgets the customer when that is due at or before limit. It is the last of the
// timers of its instant.
func (m *Machine) expire(limit int64) {
	if m.deriving {
		return
	}
	if at := m.c.Expiry(); at != 0 && at <= limit {
		m.c.Expired = true
		m.rows.decide(output.Decision{Kind: output.Forgotten, Reason: output.ReasonIdle})
	}
}

// expiresBefore says that the customer is to be forgotten before a timer that is due at an
// instant, by what fired so far: a late one of somebody who is gone would not fire.
func (m *Machine) expiresBefore(due int64) bool {
	at := m.c.Expiry()
	return at != 0 && at < due && !m.deriving && !m.emitter.pending() && !m.triggers.profileChanged()
}
