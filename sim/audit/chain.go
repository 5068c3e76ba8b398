package audit

import (
	"math"
	"slices"
)

// Outcomes of a chain.
const (
	Active    = "active"
	Completed = "completed"
	Converted = "goal"
	Stopped   = "stopped"
	Exited    = "exited"
	Preempted = "preempted"
)

// chain is one customer's pass through the steps of a campaign.
type chain struct {
	campaign  int
	def       *Campaign // the version by which it goes
	version   int       // under which it last ran
	unwritten []int     // versions under which it ran since something of it was last written
	customer  *customer
	key       string
	entry     int
	heldOut   bool
	enteredAt int64
	endedAt   int64
	outcome   string

	trigger           *Event
	relevantFrom      int64 // event time from which on events concern it
	entryRelevantFrom int64 // the same at its entry; a refresh moves relevantFrom
	entryPosition     int   // position of the log at its entry

	// Where it is.
	stepID     string // End is the end
	resting    bool   // at a step that takes time; otherwise it was moved on and is to run
	armed      bool   // it has a timer
	due        int64  // of the timer
	timerFrom  int64  // when the timer began, or would have
	notBefore  int64  // when the timer fires, if that is later than due
	planned    int64  // for when what it does now was planned
	late       bool   // it runs more than lateAfter past that
	depth      int    // of the record for which it runs
	passed     []Passed
	backJumps  map[string]int // how often it jumped back to a step; asked by key only
	lastJumpAt int64
	restarts   int // of the wait at which it is

	// Sends and calls.
	send          pendingSend
	sentSinceRest bool // a message left since it last rested
	delivered     bool // a message left at all
	lastDelivery  int64
	lastStep      string         // of the last delivery
	awaitedCall   *pending       // the request for which it rests
	reply         map[string]any // to its last call

	// Measurement.
	hits      []Hit
	endingHit int         // index in hits, when the outcome is Converted
	exposures []*exposure // which it counts for
	forgotten bool        // nothing can be counted for it any more

	freezeState
	replanState
	exiting       bool // a new version ends it, at the customer's slot or before
	exitByArchive bool // it does so because the campaign is archived: a version that is not keeps the chain

	// entryRemembered and endRemembered say that its entry, and its end, count for further entries of
	// its key. The end counts where the key is remembered, if only for another chain.
	entryRemembered, endRemembered bool

	// Merges.
	enteredAs         chainOrigin    // where it came by a merge
	handedBeforeMerge map[string]int // messages by step and channel; asked by key only
	forgottenAtMerge  bool           // it was forgotten when its customer merged
}

// Passed is an experiment that a chain came through, and the variant that it got.
type Passed struct{ Step, Variant string }

// live reports whether the chain has not ended.
func (ch *chain) live() bool { return ch.outcome == Active }

// end ends the chain now. A goal, a stop and a preemption also take back what has not left.
func (ch *chain) end(a *Auditor, outcome string) {
	ch.outcome, ch.endedAt = outcome, a.now
	ch.endRemembered = slices.ContainsFunc(ch.customer.chains, func(o *chain) bool {
		return o.entryRemembered && o.campaign == ch.campaign && o.key == ch.key
	})
	ch.resting, ch.armed, ch.send = false, false, pendingSend{}
	ch.updateMaturity(a)
	if outcome == Converted || outcome == Stopped || outcome == Preempted {
		ch.recall(a)
	}
}

// step returns the step at which the chain is; ok is false at the end, and when the campaign has no
// such step any more.
func (ch *chain) step() (s Step, ok bool) {
	if i := ch.index(); i >= 0 {
		return ch.def.Steps[i], true
	}
	return Step{}, false
}

// index returns the number of that step; -1 without one.
func (ch *chain) index() int { return ch.indexOf(ch.stepID) }

// indexOf returns the number of the step with the id; -1 without one.
func (ch *chain) indexOf(id string) int {
	return slices.IndexFunc(ch.def.Steps, func(s Step) bool { return s.ID == id })
}

// measuredAfter is how long after a goal's window an ended chain is still measured, in ms of log
// time, so that events which come late count. The text sets no such limit; this is the engine's.
const measuredAfter = 24 * 3_600_000 // ms of log time

// forget drops an ended chain for which nothing can be counted any more, by what its campaign says
// now. A later version that measures longer does not bring it back.
func (ch *chain) forget(a *Auditor) {
	if ch.live() || slices.ContainsFunc(ch.customer.pending, func(p *pending) bool { return p.chain == ch }) {
		return
	}
	for _, g := range ch.def.Goals {
		if end := ch.windowEnd(g); end != math.MaxInt64 && !ch.hasReached(g.ID) && a.now <= end+measuredAfter {
			return
		}
	}
	for i := range ch.hits {
		if end, ok := ch.reversibleUntil(&ch.hits[i]); ok && a.now <= end+measuredAfter {
			return
		}
	}
	ch.forgotten = true
}
