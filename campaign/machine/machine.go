package machine

import (
	"time"

	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
)

// lateAfter is how late a timer may be before the campaign's late rule applies,
// in ms (design R8).
const lateAfter = 5 * 60 * 1000

// Machine applies records and timers to customers of one workspace. It keeps
// scratch memory between calls and belongs to one goroutine.
type Machine struct {
	set   *active.Set
	scope *expr.Scope

	c       *customer.Customer
	now     int64
	came    int64 // log time of the current record, ms: of a broadcast that is before its visits
	out     *output.Output
	eventID string            // of the current record, empty for a timer
	ready   []*customer.Chain // entered or advanced by the current record, to be run
	planned int64             // when the current timer was due, ms; 0 for a record
	silence int64             // the end of the silence that a pause kept and that is offered now, ms; 0: none
	late    bool              // the current timer is more than lateAfter late
	zones   map[string]*time.Location

	recordingEvent bool                // the current record will be remembered, and is not yet
	emitted        []emitted           // what the current record led to, and what that led to
	deriving       bool                // they are being applied
	depth          int                 // of the current record: 0 for one of the log, or a timer
	made           int                 // derived records since the last record of the log
	holdMark       int64               // timers due at or before it wait, ms; 0: none
	asOf           int64               // the instant as of which triggers are armed, ms: mostly now
	before         []observation       // what the current record can change, before it
	heights        active.ValuesBefore // what thresholds measure, before it
	seenTraits     []byte              // the profile that triggers last looked at
	seenTags       []string
	changed        occasion // the step that last changed it

	found    []int32 // scratch: what indexes found
	counters []int32 // scratch: which counters count the record
	specs    []*active.CounterSpec
	programs []*program.Program
	// unindexed says that nothing is left out by an index: tests compare with it.
	unindexed bool

	turns []pendingSend // chains that stand at a send
	cause cause         // the current timer
	fired int           // timers of the call so far
	// segments say who wrote the end of the output.
	segments []segment
	// candidates are the chains that wait for their group to be settled.
	candidates []candidate

	entering entryQuestion // scratch: the present question of an entry
	asking   sendQuestion  // scratch: the present question of a send

	observer *trace.Trace // nil: nobody asks why
	trace    *trace.Trace // the observer, while its customer is being applied
}

// New is a machine without campaigns.
func New() *Machine {
	return &Machine{
		set: active.NewSet(nil, map[string]uint64{}, 0), scope: expr.NewScope(), zones: map[string]*time.Location{},
	}
}

// Use makes set the active campaigns from now on.
func (m *Machine) Use(set *active.Set) { m.set = set }

// begin takes up a customer at now; everything that follows is written to out.
func (m *Machine) begin(c *customer.Customer, now int64, out *output.Output) {
	m.c, m.now, m.out, m.eventID, m.planned, m.late = c, now, out, "", 0, false
	m.silence, m.changed = 0, occasion{}
	m.ready, m.turns, m.candidates = m.ready[:0], m.turns[:0], m.candidates[:0]
	m.cause, m.fired, m.segments = cause{}, 0, m.segments[:0]
	m.recordingEvent = false
	m.scope.Now, m.asOf, m.came = now, now, now
	m.scope.Event.Set(nil)
	m.scope.Trigger.Set(nil)
	m.scope.Customer.Set(c)
	m.scope.Chain.Chain = nil
	m.notedProfile()
	if m.trace = m.observer.Of(c); m.trace != nil {
		m.trace.Step(trace.Step{At: now, What: "record"})
	}
}

// Apply applies an event to its customer at log time now, in the order of L1.
// created says that it is the customer's first record.
//
// REQUIRES: all timers of c due at or before now have fired; c belongs to e; e is
// not from after now.
func (m *Machine) Apply(c *customer.Customer, e *event.Event, now int64, created bool, out *output.Output) {
	m.begin(c, now, out)
	if m.trace != nil {
		m.recorded(e)
	}
	m.follow()
	m.markActive()
	m.eventID = e.ID
	m.scope.Event.Set(e)
	watch := m.set.TriggersOn(e.Name, created)
	if !created && len(m.set.Zoned) > 0 && saysZone(e) {
		watch = m.set.WatchingMoved(e.Name)
	}
	m.observeBefore(watch, created)
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
	m.recordingEvent = m.set.Ringed[e.Name]
	m.triggers(watch, e)
	if m.hasCandidates() {
		m.settleGroups()
		m.orderTriggers(since)
	}
	if m.recordingEvent {
		c.Remember(e)
		m.recordingEvent = false
	}
	m.rest()
	m.followProfile(e)
	m.applyEmitted(out)
	m.prune()
}

// Fire fires the timers of c that are due at or before due, in the order of
// their instants. What they send is decided together: it competes at one instant.
//
// REQUIRES: due <= now.
func (m *Machine) Fire(c *customer.Customer, due, now int64, out *output.Output) {
	m.begin(c, now, out)
	m.follow()
	for m.fireDue(due) || m.hasCandidates() {
		m.runRound()
	}
	m.sortOutput()
	m.followProfile(nil)
	m.applyEmitted(out)
	m.prune()
	m.expire(due)
}

// fireDue fires the timers due at or before due and runs what they wake up to its
// next send or rest; it says whether there was one. A trigger of a campaign whose chain
// stands at a send is left: the send is decided with all others of the instant, and the
// chain may end and make room.
func (m *Machine) fireDue(due int64) (fired bool) {
	for {
		t, ok := m.nextTimer(due)
		if !ok || m.expiresBefore(t.due) {
			return fired
		}
		fired = true
		m.planned = t.due
		if t.chain != nil {
			m.planned = t.chain.Due
		}
		m.late = m.now-m.planned > lateAfter
		if m.trace != nil {
			m.timed(&t)
		}
		m.scope.Trigger.Set(nil)
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
		m.attribute(nil, from)
		m.runReady()
	}
}

// holds evaluates a predicate; an error is recorded once and counts as false (L6).
func (m *Machine) holds(e *expr.Expr, campaign string) bool {
	ok, err := e.Holds(m.scope)
	if err != nil {
		m.evaluationFailed(campaign, err)
	}
	return ok
}

// timer is one due timer of the customer: of a chain, a watch, a date, a value that changes
// with time, or a pending delivery.
type timer struct {
	due      int64
	campaign string // empty for a delivery
	chain    *customer.Chain
	watch    string
	date     int // index + 1
	level    bool
	pending  int // index
}

// before orders timers of one instant: deliveries, then campaigns by name, where the
// trigger comes after the chains; those of equal rank in the order of their lists.
func (t *timer) before(other *timer) bool {
	if t.due != other.due {
		return t.due < other.due
	}
	if t.campaign != other.campaign {
		return t.campaign < other.campaign
	}
	return t.chain != nil && other.chain == nil
}

// nextTimer is the earliest timer due at or before limit, without the triggers of
// campaigns that have a send to be decided.
func (m *Machine) nextTimer(limit int64) (best timer, found bool) {
	consider := func(t timer) {
		if t.due == 0 || t.due > limit || found && !t.before(&best) {
			return
		}
		if t.chain == nil && t.campaign != "" && m.hasPendingSend(t.campaign) {
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
