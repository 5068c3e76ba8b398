package campaign

import (
	"slices"
	"time"
)

// lateAfter is how late a timer may be before the campaign's late rule applies,
// in ms (design R8).
const lateAfter = 5 * 60 * 1000

// Machine applies records and timers to customers of one workspace. It keeps
// scratch memory between calls and belongs to one goroutine.
type Machine struct {
	set   *Set
	scope *scope

	c       *Customer
	now     int64
	out     *Output
	eventID string   // of the record in hand, empty for a timer
	ready   []*Chain // entered or advanced by the record in hand, to be run
	planned int64    // when the timer in hand was due, ms; 0 for a record
	late    bool     // the timer in hand is more than lateAfter late
	zones   map[string]*time.Location

	ringing    bool      // the record in hand will be remembered, and is not yet
	reply      []byte    // of the result in hand
	derived    []derived // what the record in hand led to, and what that led to
	deriving   bool      // they are being applied
	depth      int       // of the record in hand: 0 for one of the log, or a timer
	made       int       // derived records since the last record of the log
	holdMark   int64     // timers due at or before it wait, ms; 0: none
	asOf       int64     // the instant as of which triggers are armed, ms: mostly now
	before     []sight   // what the record in hand can change, before it
	heights    []height  // what thresholds measure, before it
	seenTraits []byte    // the profile that triggers last looked at
	seenTags   []string

	found, inLevels []int32 // scratch: what indexes found
	specs           []*counterSpec
	programs        []*Program

	turns []turn // chains that stand at a send
	cause cause  // the timer in hand
	fired int    // timers of the call so far
	// segments say who wrote the end of the output.
	segments []segment
	// candidates are the chains that wait for their group to be settled.
	candidates []candidate

	observer *Trace // nil: nobody asks why
	trace    *Trace // the observer, while its customer is in hand
}

// NewMachine is a machine without campaigns.
func NewMachine() *Machine {
	return &Machine{
		set: NewSet(nil, map[string]uint64{}, 0), scope: newScope(), zones: map[string]*time.Location{},
	}
}

// Use makes set the active campaigns from now on.
func (m *Machine) Use(set *Set) { m.set = set }

// begin takes up a customer at now; everything that follows is written to out.
func (m *Machine) begin(c *Customer, now int64, out *Output) {
	m.c, m.now, m.out, m.eventID, m.planned, m.late = c, now, out, "", 0, false
	m.ready, m.turns, m.candidates = m.ready[:0], m.turns[:0], m.candidates[:0]
	m.cause, m.fired, m.segments = cause{}, 0, m.segments[:0]
	m.ringing = false
	m.scope.now, m.asOf = now, now
	m.scope.event.set(nil)
	m.scope.trigger.set(nil)
	m.scope.customer.set(c)
	m.scope.chain.c = nil
	m.notedProfile()
	if m.trace = m.observer.of(c); m.trace != nil {
		m.trace.occasion(Occasion{At: now, What: "record"})
	}
}

// Apply applies an event to its customer at log time now, in the order of L1.
// created says that it is the customer's first record.
//
// REQUIRES: all timers of c due at or before now have fired; c belongs to e; e is
// not from after now.
func (m *Machine) Apply(c *Customer, e *Event, now int64, created bool, out *Output) {
	m.begin(c, now, out)
	if m.trace != nil {
		m.recorded(e)
	}
	m.follow()
	m.touch()
	m.eventID = e.ID
	m.scope.event.set(e)
	watch := m.set.watching(e.Name, created)
	m.lookBefore(watch, created)
	m.profile(e)
	m.noteZone(e)
	m.consents(e)
	m.count(e)
	m.countWindows(e)
	m.chains(e)
	if created {
		m.watchProfiles(e)
	}
	m.rezone(e)
	since := m.mark()
	m.ringing = m.set.ringed[e.Name]
	m.triggers(watch, e)
	if len(m.candidates) > 0 {
		m.settleGroups()
		m.orderTriggers(since)
	}
	if m.ringing {
		c.remember(e)
		m.ringing = false
	}
	m.rest()
	m.followProfile(e)
	m.derive()
	m.prune()
}

// Fire fires the timers of c that are due at or before due, in the order of
// their instants. What they send is decided together: it competes at one instant.
//
// REQUIRES: due <= now.
func (m *Machine) Fire(c *Customer, due, now int64, out *Output) {
	m.begin(c, now, out)
	m.follow()
	for m.fireDue(due) {
		m.conclude()
	}
	m.ordered()
	m.followProfile(nil)
	m.derive()
	m.prune()
	m.expire(due)
}

// fireDue fires the timers due at or before due and runs what they wake up to its
// next send or rest; it says whether there was one.
func (m *Machine) fireDue(due int64) (fired bool) {
	for {
		t, ok := m.nextTimer(due)
		if !ok || m.outlived(t.due) {
			return fired
		}
		fired = true
		if t.chain == nil && t.campaign != "" && m.stands(t.campaign) {
			m.arbitrate() // the campaign's chains go before its trigger: one may end
		}
		m.planned = t.due
		if t.chain != nil {
			m.planned = t.chain.Due
		}
		m.late = m.now-m.planned > lateAfter
		if m.trace != nil {
			m.timed(&t)
		}
		m.scope.trigger.set(nil)
		m.fired++
		m.cause = cause{due: t.due, number: m.fired}
		from := m.mark()
		switch {
		case t.chain != nil:
			m.fireChain(t.chain)
		case t.watch != "":
			m.fireWatch(t.watch)
		case t.date > 0:
			m.fireDate(t.date - 1)
		case t.level:
			m.fireLevel(t.campaign)
		default:
			m.firePending(t.pending)
		}
		m.wrote(nil, from)
		m.runReady()
	}
}

// profile applies an identify call to the traits, but for those that a newer one set.
func (m *Machine) profile(e *Event) {
	if e.Type == Identify && len(e.Traits) > 0 {
		update := m.notOlder(e.Traits, e.Time)
		if m.setTraits(update) {
			m.stampTraits(update, e.Time)
		}
	}
}

// count updates the counters that the set keeps for the event's name.
func (m *Machine) count(e *Event) {
	for _, spec := range m.set.counting(m, e.Name) {
		if spec.where != nil && !m.holds(spec.where, "") {
			continue
		}
		c := m.c.ensureCounter(spec.id)
		if c.Count == 0 || e.Time < c.First {
			c.First = e.Time
		}
		if c.Count == 0 || e.Time >= c.Last {
			c.Last = e.Time
		}
		c.Count++
		for _, s := range m.sumsOf(e.Name, spec.sums) {
			c.add(s.Property, s.Total)
		}
	}
}

// holds evaluates a predicate; an error is recorded once and counts as false (L6).
func (m *Machine) holds(e *Expr, campaign string) bool {
	ok, err := e.holds(m.scope)
	if err != nil {
		m.decide(Decision{Campaign: campaign, Kind: Erred, Reason: ReasonEvaluation, Detail: clip(err.Error(), 200)})
	}
	return ok
}

// decide completes a decision and writes it down.
func (m *Machine) decide(d Decision) {
	d.Workspace, d.Customer, d.EventID, d.At = m.c.Workspace, m.c.ID, m.eventID, m.now
	m.out.Decisions = append(m.out.Decisions, d)
	if m.trace != nil {
		m.trace.decided(d)
	}
}

// decideChain is decide for a chain.
func (m *Machine) decideChain(ch *Chain, kind Kind, reason Reason, step, detail string) {
	m.decide(Decision{
		Campaign: ch.Campaign, Version: ch.Version, Key: ch.Key, Entry: ch.Entry,
		Step: step, Kind: kind, Reason: reason, Detail: detail,
	})
}

// prune drops what can no longer matter: ended chains whose goal windows are over, and
// those that ended first beyond maxEnded.
func (m *Machine) prune() {
	m.c.dropStamps(m.now)
	ended := 0
	kept := m.c.Chains[:0]
	for _, ch := range m.c.Chains {
		if !ch.live() {
			p := m.set.of(ch)
			if !m.c.hasPending(ch) && (p == nil || p.measureUntil(ch) < m.now) {
				continue
			}
			ended++
		}
		kept = append(kept, ch)
	}
	for ; ended > maxEnded; ended-- {
		first := -1
		for i, ch := range kept {
			if !ch.live() && (first < 0 || ch.EndedAt < kept[first].EndedAt) {
				first = i
			}
		}
		kept = slices.Delete(kept, first, first+1)
	}
	clear(m.c.Chains[len(kept):])
	m.c.Chains = kept
}

// clip shortens a text to n bytes at most, at a rune boundary.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}
