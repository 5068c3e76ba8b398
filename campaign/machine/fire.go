package machine

import (
	"strings"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
)

// lateAfter is how late a timer may fire before the rule "late" of its campaign applies, in ms.
const lateAfter = 5 * 60 * 1000

// timer is one due timer of the customer: of a chain, an inactivity (watch), a date, a value that
// changes with time (level), or a pending delivery where none of these is set.
type timer struct {
	due      int64  // ms
	campaign string // empty for a delivery
	chain    *customer.Chain
	watch    string // its campaign, of an inactivity
	date     int    // index + 1 in Dates; 0: no date
	level    bool
	pending  int // index in Pending
}

// before orders timers by their instant; at one instant deliveries come first, then campaigns by name,
// where the trigger comes after the chains: a chain that ends makes room for the entry. Those of equal
// rank fire in the order of their lists, since nextTimer keeps the first.
func (t *timer) before(other *timer) bool {
	if t.due != other.due {
		return t.due < other.due
	}
	if t.campaign != other.campaign {
		return t.campaign < other.campaign
	}
	return t.chain != nil && other.chain == nil
}

// Fire fires the timers of c that are due at or before due (ms), in the order of
// their instants. What they send is decided together: it competes at one instant.
//
// It takes three steps in turn until nothing is due: fire timers and run chains up to their sends,
// settle groups, decide sends. Chains that go on after a send may arm timers that are due already.
//
// REQUIRES: due <= now.
func (m *Machine) Fire(c *customer.Customer, due, now int64, out *output.Output) {
	m.begin(c, now, out)
	m.chains.follow()
	for m.fireDue(due) || m.entries.hasCandidates() {
		m.runRound()
	}
	m.rows.sortOutput()
	m.followProfile(nil)
	m.applyEmitted(out)
	m.chains.prune()
	m.expire(due)
}

// fireDue fires the timers due at or before due and runs each chain that they wake up to its next send
// or rest; it reports whether there was one. A trigger of a campaign whose chain stands at a send is
// left for the next round: the send is decided with all others of the instant, and the chain may
// end and make room.
func (m *Machine) fireDue(due int64) (fired bool) {
	for {
		t, ok := m.nextTimer(due)
		if !ok || m.expiresBefore(t.due) {
			return fired
		}
		fired = true
		m.planned = t.due
		if t.chain != nil {
			// A timer that a version or a late send pushed back (Wake) is as late as its first instant says.
			m.planned = t.chain.Due
		}
		m.late = m.now-m.planned > lateAfter
		if m.trace != nil {
			m.timed(&t)
		}
		m.scope.Trigger.Set(nil)
		m.fired++
		m.cause = cause(m.fired)
		from := m.rows.mark()
		switch {
		case t.chain != nil:
			m.chains.fire(t.chain)
		case t.watch != "":
			m.triggers.fireWatch(t.watch)
		case t.date > 0:
			m.triggers.fireDate(t.date - 1)
		case t.level:
			m.triggers.fireLevel(t.campaign)
		default:
			m.firePending(t.pending)
		}
		m.rows.attribute(nil, from)
		m.chains.runReady()
	}
}

// nextTimer returns the earliest timer due at or before limit (ms), without the triggers of campaigns
// that have a send to be decided. It looks through all timers each time: firing one changes them,
// and a customer has few.
func (m *Machine) nextTimer(limit int64) (best timer, found bool) {
	consider := func(t timer) {
		if t.due == 0 || t.due > limit || found && !t.before(&best) {
			return
		}
		if t.chain == nil && t.campaign != "" && m.sends.has(t.campaign) {
			return
		}
		best, found = t, true
	}
	for i := range m.c.Pending {
		consider(timer{due: m.c.Pending[i].WakeAt(), pending: i})
	}
	for _, ch := range m.c.Chains {
		consider(timer{due: ch.WakeAt(), campaign: ch.Campaign, chain: ch})
	}
	for i := range m.c.Watches {
		w := &m.c.Watches[i]
		consider(timer{due: w.Due, campaign: w.Campaign, watch: w.Campaign})
	}
	for i := range m.c.Dates {
		w := &m.c.Dates[i]
		consider(timer{due: w.Due, campaign: w.Campaign, date: i + 1})
	}
	for i := range m.c.Levels {
		l := &m.c.Levels[i]
		consider(timer{due: l.Due, campaign: l.Campaign, level: true})
	}
	return best, found
}

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
