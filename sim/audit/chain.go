package audit

import (
	"cmp"
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

// chain is one customer's run of one campaign.
type chain struct {
	campaign  int
	def       *Campaign
	customer  *customer
	key       string
	entry     int
	trigger   *Event
	begins    int64 // event time from which on events concern it
	entered   int64 // what that was at its entry
	place     int   // of the log then
	enteredAt int64
	endedAt   int64
	outcome   string

	at      string // id of the step it is in; End is the end
	version int    // that it last ran under
	resting bool   // in a delay or wait; otherwise it has been moved and will run
	timed   bool   // a timer is armed
	due     int64  // of the timer
	opened  int64  // when its timer began, or would have
	wake    int64  // when it fires, if that is later than due: after a late send
	planned int64  // the instant what it decides now was due at

	lastDelivery int64
	lastStep     string // of the last delivery
	delivered    bool
	hits         []Hit
	endedBy      int // index in hits, when outcome is Converted
	forgotten    bool

	late     bool // what made it run was more than lateAfter late
	sent     bool // something left since it last rested
	heldOut  bool
	depth    int // of the record that it runs for
	passed   []Passed
	back     map[string]int // how often it went back to a step, asked by key only
	restarts int            // of the wait that it is in
	wentBack int64          // when it last did
	asks     asks

	thawed   int   // place of the log at which the pause was over
	icedAt   int   // place of the log at which it began to hold it
	icedTurn int64 // the customer's turn to be held
	iced     bool  // a pause holds it, or held it and it was archived
	heldBack bool  // a pause held it when the version came that it leaves by
	felt     bool  // the last pause did hold it: something reached the customer meanwhile
	stuck    bool  // it was to be asked again while it was held by a pause
	thaw     int64 // when it goes on after a pause
	leaving  bool  // a new version ends it, at the customer's turn or before
	// archived says that it leaves because its campaign is archived, not for good.
	archived bool
	born     birth          // when it came by a merge
	carried  map[string]int // messages of a step and channel before it came, asked by key only
	gone     bool           // it was forgotten when its customer merged

	// What replan last did: the instant by the text alone, when in the log, the turn.
	raw        int64
	replanned  int
	replanTurn int64
	// dueBefore and timedBefore are the timer before that.
	dueBefore   int64
	timedBefore bool

	// known and knownEnd say that its entry, and its end, count for further entries of its key: the
	// end does where the key is remembered, if only for another chain.
	known, knownEnd bool
	calling         *pending       // the request that it rests for
	reply           map[string]any // to its last call
	exposed         []*exposure    // that it counts for
}

// Passed is an experiment that a chain came through.
type Passed struct{ Step, Variant string }

func (ch *chain) live() bool { return ch.outcome == Active }

func (ch *chain) end(a *Auditor, outcome string) {
	ch.outcome, ch.endedAt = outcome, a.now
	ch.knownEnd = slices.ContainsFunc(ch.customer.chains, func(o *chain) bool {
		return o.known && o.campaign == ch.campaign && o.key == ch.key
	})
	ch.resting, ch.timed, ch.asks = false, false, asks{}
	ch.updateMaturity(a)
	if outcome == Converted || outcome == Stopped || outcome == Preempted {
		ch.recall(a)
	}
}

// observe is "goals, stops, waits" of one record. An ended chain is measured
// only.
func (ch *chain) observe(a *Auditor, e *Event) {
	if ch.forgotten {
		return
	}
	ch.reverse(a, e)
	stopper := -1
	for _, g := range ch.def.Goals {
		if ch.counted(g.ID) || !ch.open(a, g, e) || !g.Match.holds(e, ch.trigger, ch.customer) {
			continue
		}
		value, currency := ch.worth(a, g, e)
		ch.hits = append(ch.hits, Hit{
			Goal: g.ID, At: a.now, Value: value, Currency: currency, time: e.Time, step: ch.lastStep,
		})
		a.converts(ch, &ch.hits[len(ch.hits)-1], e, false)
		ch.takenBack(a)
		if g.Stop && stopper < 0 {
			stopper = len(ch.hits) - 1
		}
	}
	if !ch.live() {
		ch.recallLate(a, e)
		return
	}
	if stopper >= 0 {
		ch.endedBy = stopper
		ch.end(a, Converted)
		return
	}
	old := e.Time < ch.began()
	for _, m := range ch.def.Stops {
		if !m.holds(e, ch.trigger, ch.customer) {
			continue
		}
		if old {
			a.note(NoteOldStop)
			continue
		}
		ch.end(a, Stopped)
		return
	}
	s, ok := ch.step()
	if !ok || !ch.resting || s.Wait == nil || a.past {
		return
	}
	if s.Wait.FromEntry && e.Time < ch.entered || !s.Wait.FromEntry && (old || e.Historical) {
		if _, would := ch.looksFor(e); would {
			a.note(NoteOldAnswer)
		}
		return
	}
	if target, ok := ch.looksFor(e); ok {
		ch.planned, ch.depth = a.now, ch.customer.depth
		ch.leave(target)
		return
	}
	ch.restart(a, e)
}

// restart begins the wait's timer anew.
func (ch *chain) restart(a *Auditor, e *Event) {
	s, _ := ch.step()
	w := s.Wait
	if w.RestartOn == nil || w.Timeout == 0 || e.Historical || e.Time < ch.began() ||
		!w.RestartOn.holds(e, ch.trigger, ch.customer) || w.MaxRestarts != 0 && ch.restarts >= w.MaxRestarts {
		return
	}
	ch.restarts++
	a.note(NoteRestarted)
	ch.opened, ch.due, ch.wake = a.now, a.now+w.Timeout.Milliseconds(), 0
}

func (ch *chain) counted(goal string) bool {
	for _, h := range ch.hits {
		if h.Goal == goal {
			return true
		}
	}
	return false
}

// measured is how long after a goal's window an ended chain is still looked at:
// the text does not say how late a record may be, the engine must say something.
const measured = 24 * 3_600_000 // ms of log time

// open tells whether the goal is measured at the event's time. Event time rules
// the window's end, however late the record comes to a chain that lives.
func (ch *chain) open(a *Auditor, g Goal, e *Event) bool {
	if e.Time < ch.began() {
		return false
	}
	end := ch.until(g)
	if end == math.MaxInt64 {
		return ch.live() // armed for the life of the chain
	}
	return e.Time <= end && (ch.live() || a.now <= end+measured)
}

// forget drops an ended chain that nothing can be counted for any more, by what its
// campaign says now: a later version that looks longer does not bring it back.
func (ch *chain) forget(a *Auditor) {
	if ch.live() || slices.ContainsFunc(ch.customer.pending, func(p *pending) bool { return p.chain == ch }) {
		return
	}
	for _, g := range ch.def.Goals {
		if end := ch.until(g); end != math.MaxInt64 && !ch.counted(g.ID) && a.now <= end+measured {
			return
		}
	}
	for i := range ch.hits {
		if end, ok := ch.reversible(&ch.hits[i]); ok && a.now <= end+measured {
			return
		}
	}
	ch.forgotten = true
}

// step is the step it is in; ok is false at the end, and when the campaign has no
// such step any more.
func (ch *chain) step() (s Step, ok bool) {
	if i := ch.index(); i >= 0 {
		return ch.def.Steps[i], true
	}
	return Step{}, false
}

func (ch *chain) index() int { return ch.indexOf(ch.at) }

func (ch *chain) indexOf(id string) int {
	return slices.IndexFunc(ch.def.Steps, func(s Step) bool { return s.ID == id })
}

// leave moves the chain on from its step: to the target, or without one to what
// comes after the step.
func (ch *chain) leave(target string) {
	ch.resting, ch.timed, ch.asks = false, false, asks{}
	i := ch.index()
	if target == "" {
		target = ch.def.Steps[i].Goto
	}
	if to := ch.indexOf(target); to >= 0 && to <= i { // back, as often as the step says
		if ch.back[target] < ch.def.Steps[to].Loop {
			ch.back[target]++
			ch.wentBack = ch.customer.a.now
		} else {
			target = ""
			ch.customer.a.note(NoteLoop)
		}
	}
	switch {
	case target != "":
		ch.at = target
	case i+1 < len(ch.def.Steps):
		ch.at = ch.def.Steps[i+1].ID
	default:
		ch.at = End
	}
}

// looksFor gives where the open wait goes on this event.
func (ch *chain) looksFor(e *Event) (target string, ok bool) {
	s, _ := ch.step()
	for _, w := range s.Wait.For {
		if w.Match.holds(e, ch.trigger, ch.customer) {
			return w.Goto, true
		}
	}
	return "", false
}

// lookBack is what a wait since entry sees when it opens: the earliest remembered event, by
// event time, that it would have taken, whether it came before the trigger or after. A
// refresh is no entry.
func (ch *chain) lookBack() (target string, ok bool) {
	if s, _ := ch.step(); !s.Wait.FromEntry {
		return "", false
	}
	for _, e := range byTime(ch.customer.memory()) {
		before := e.place <= ch.place
		if e.Time < ch.entered || before && e.Time == ch.entered {
			continue
		}
		if target, ok = ch.looksFor(e); ok {
			if before {
				ch.customer.a.note(NoteAnsweredBefore)
			}
			return target, true
		}
	}
	return "", false
}

// byTime is events in the order of their times; those of one time stay as they are.
func byTime(events []*Event) []*Event {
	slices.SortStableFunc(events, func(x, y *Event) int { return cmp.Compare(x.Time, y.Time) })
	return events
}

// timeout is the chain's timer. A position is the id of a step: a chain whose step a
// new version took away ends.
func (ch *chain) timeout(a *Auditor) {
	if ch.thaw != 0 {
		ch.thaws(a)
		return
	}
	s, ok := ch.step()
	if !ok {
		ch.end(a, Exited)
		return
	}
	if ch.def != a.campaigns[ch.campaign] {
		a.note(NotePinned)
	}
	ch.late = a.now-ch.due > lateAfter
	ch.depth = 0
	if ch.late && ch.def.Late == LateExit {
		a.note(NoteLateExit)
		ch.end(a, Exited)
		return
	}
	ch.planned = ch.due // also of what follows a held send: it was not due before
	if ch.holds() {
		ch.again()
		return
	}
	target := ""
	if s.Wait != nil {
		target = s.Wait.OnTimeout
	}
	if s.Call != nil {
		target = s.Call.OnFail
	}
	ch.leave(target)
	ch.run(a)
}

func (ch *chain) rest(due int64, timed bool) {
	ch.resting, ch.timed, ch.due, ch.wake = true, timed, due, 0
	ch.restarts, ch.late, ch.sent = 0, false, false
}

// run goes through steps until the chain rests, comes to a send, or ends.
func (ch *chain) run(a *Auditor) {
	ch.version = ch.def.Version
	for ch.at != End {
		ch.opened = a.now
		s, ok := ch.step()
		switch {
		case !ok:
			ch.end(a, Exited)
			return
		case s.Delay != nil:
			due := a.now + s.Delay.For.Milliseconds()
			if s.Delay.FromEntry {
				due = ch.enteredAt + s.Delay.For.Milliseconds()
			}
			if due > a.now || ch.late {
				sent := ch.sent
				ch.rest(due, true)
				if due <= a.now && sent {
					ch.wake = a.now + 1 // one late send a chain at a time
				}
				return
			}
			ch.planned = due // over already: nothing to rest for
			ch.leave("")
		case s.Until != nil:
			if due := a.next(ch, s.Until, a.now); due > a.now {
				ch.rest(due, true)
				return
			}
			ch.planned = a.now
			ch.leave("")
		case s.Wait != nil:
			target, ok := ch.lookBack()
			if !ok {
				ch.rest(a.now+s.Wait.Timeout.Milliseconds(), s.Wait.Timeout != 0)
				return
			}
			ch.leave(target)
		case s.Send != nil:
			ch.stand(s)
			return
		case s.Branch != nil:
			ch.leave(ch.choose(s.Branch))
		case s.Call != nil:
			if ch.call(a, s); ch.resting {
				return
			}
		case s.Exit:
			ch.end(a, Exited)
			return
		default:
			ch.leave(ch.act(a, s))
		}
	}
	ch.end(a, Completed)
}

func (ch *chain) choose(b *Branch) (target string) {
	for _, arm := range b.Arms {
		if arm.When.holds(scene{event: ch.trigger, trigger: ch.trigger, customer: ch.customer, reply: ch.reply}) {
			return arm.Goto
		}
	}
	return ""
}

// refresh keeps the place, takes the new trigger and restarts the timer. A
// chain that this very record advanced has no timer to restart. What came before the
// trigger and happened after it ends the chain.
func (ch *chain) refresh(a *Auditor, t *candidate) {
	ch.trigger, ch.begins = t.trigger, t.begins()
	ch.retime(a)
	a.past = true
	for _, e := range byTime(ch.customer.memory()) {
		if e.Time > ch.begins && ch.live() {
			ch.observe(a, e)
			if !ch.live() {
				a.note(NoteEndedBefore)
			}
		}
	}
	a.past = false
}

// retime begins the timer of the step anew.
func (ch *chain) retime(a *Auditor) {
	s, ok := ch.step()
	if !ok || !ch.resting || !ch.timed {
		return
	}
	ch.wake, ch.opened = 0, a.now
	switch {
	case s.Wait != nil:
		ch.due = a.now + s.Wait.Timeout.Milliseconds()
	case s.Delay != nil && !s.Delay.FromEntry:
		ch.due = a.now + s.Delay.For.Milliseconds()
	case s.Until != nil:
		ch.due = a.next(ch, s.Until, a.now)
	case s.Call != nil: // the request that is out keeps the time it was given
		ch.due = a.now + s.Call.timeout()
	}
}
