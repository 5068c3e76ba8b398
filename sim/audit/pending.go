package audit

import (
	"cmp"
	"slices"
)

// Verdicts of an attempt.
const (
	Accepted  = "accepted"
	Temporary = "temporary"
	Permanent = "permanent"
)

// States of a delivery. An attempt after the first is handed off again.
const (
	HandedOff = "handed_off"
	Sent      = "sent"
	Retrying  = "retrying"
	Failed    = "failed"
	Recalled  = "recalled"
	Expired   = "expired"

	Ghost    = "ghost"
	Dropped  = "dropped"
	Deferred = "deferred"
)

// defaultExpires is how long a delivery may leave where its step does not say, in ms.
const defaultExpires = 24 * 3_600_000

// retryPauses returns the pauses before the second attempt and each further one, in ms. After the
// last attempt there is none.
func retryPauses() []int64 { return []int64{5_000, 300_000, 1_800_000, 7_200_000, 18_000_000} }

// State is a later state of a delivery, reached at the log time At with the given attempt.
type State struct {
	Campaign string
	Customer string
	Entry    int
	Step     string
	Channel  string
	Number   int // of the messages of that step and channel, from 0
	Status   string
	Attempt  int
	At       int64
}

// Result is the outcome of an attempt, as a record of the log says it.
type Result struct {
	Campaign string
	Customer string
	Entry    int
	Step     string
	Channel  string
	Number   int
	Attempt  int
	Verdict  string
	Reply    map[string]any // to a call; nil: none
	Holder   string         // the customer who has the chain now, if it was entered under another id
}

// pending is a delivery without a final state.
type pending struct {
	chain   *chain
	step    string
	channel string
	attempt int
	retry   int64 // when the next attempt is made; 0 while one is out
	expires int64
	number  int // among the messages of its step and channel, from 0
}

// due returns the instant of the delivery's timer: of its next attempt, or of its expiry.
func (p *pending) due() int64 {
	if p.retry != 0 {
		return p.retry
	}
	return p.expires
}

// writeState adds a row for a later state.
func (p *pending) writeState(a *Auditor, status string) {
	a.states = append(a.states, State{
		Campaign: p.chain.def.Name, Customer: p.chain.customer.id, Entry: p.chain.entry, Step: p.step,
		Channel: p.channel, Number: p.number, Status: status, Attempt: p.attempt, At: a.now,
	})
}

// finish does the same for a final state.
func (p *pending) finish(a *Auditor, status string) {
	c := p.chain.customer
	c.pending = slices.DeleteFunc(c.pending, func(o *pending) bool { return o == p })
	p.writeState(a, status)
}

// fire makes the next attempt, or has the delivery expire.
func (p *pending) fire(a *Auditor) {
	if a.now >= p.expires {
		failed := p.retry != 0 // else an attempt is out, which may have arrived
		p.finish(a, Expired)
		p.fails(a, failed, p.expires)
		return
	}
	p.retry = 0
	p.attempt++
	p.writeState(a, HandedOff)
}

// fails moves the chain where its step says, if the chain is live and has not passed that step, and
// gives the places under caps back if the message surely did not arrive.
func (p *pending) fails(a *Auditor, surely bool, planned int64) {
	if p.failAwaited(a, planned) {
		return
	}
	ch, onFail := p.chain, p.onFail()
	to := ch.indexOf(onFail)
	if onFail == End {
		to = len(ch.def.Steps)
	}
	if i := ch.index(); onFail != "" && ch.live() && to > i && i >= 0 && !ch.endIfExiting(a) {
		a.note(NoteOnFail)
		ch.send, ch.depth = pendingSend{}, 0
		ch.resting, ch.armed = false, false
		ch.stepID, ch.planned, ch.late = onFail, planned, a.now-planned > lateAfter
	}
	if surely {
		p.refund(a, planned)
	}
}

// onFail returns where the step leads in the version by which the chain goes now. A call for whose
// reply the chain waits is not among them: failAwaited does that.
func (p *pending) onFail() string {
	i := p.chain.indexOf(p.step)
	if i < 0 {
		return ""
	}
	switch s := p.chain.def.Steps[i]; {
	case s.Send != nil:
		return s.Send.OnFail
	case s.Call != nil && !s.Call.Wait:
		return s.Call.OnFail
	}
	return ""
}

// Result applies a result at the current log time. An accepted attempt counts whichever it is,
// since the channel has the message then; a failure counts only for the attempt that is out.
func (a *Auditor) Result(r Result) {
	if !a.hasCustomer(cmp.Or(r.Holder, r.Customer)) {
		return // erased or expired
	}
	c, _ := a.customer(cmp.Or(r.Holder, r.Customer))
	a.applyScans(c)
	at := slices.IndexFunc(c.pending, func(p *pending) bool {
		return p.chain.def.Name == r.Campaign && p.chain.origin() == chainOrigin{r.Customer, r.Entry} &&
			p.step == r.Step && p.channel == r.Channel && p.number == r.Number
	})
	if at < 0 {
		return // it has an end already
	}
	p := c.pending[at]
	switch {
	case r.Verdict == Accepted:
		p.finish(a, Sent)
		p.applyReply(a, r.Reply)
	case r.Attempt != p.attempt || p.retry != 0: // an answer to an older attempt
	case r.Verdict == Permanent || p.attempt > len(retryPauses()):
		p.finish(a, Failed)
		p.fails(a, true, a.now)
		a.runToQuiescence(c)
		a.applyEmitted(c)
	default:
		p.retry = min(a.now+retryPauses()[p.attempt-1], p.expires)
		p.writeState(a, Retrying)
	}
}

// recall takes back what the chain handed off and what has not left.
func (ch *chain) recall(a *Auditor) {
	for _, p := range slices.Clone(ch.customer.pending) {
		if p.chain == ch {
			p.finish(a, Recalled)
		}
	}
}

// recallLate does so for a chain that has ended, at an event that would have stopped it.
func (ch *chain) recallLate(a *Auditor, e *Event) {
	for _, g := range ch.def.Goals {
		within := e.Time >= ch.relevantFrom && e.Time <= ch.windowEnd(g)
		if g.Stop && within && g.Match.holds(e, ch.trigger, ch.customer) {
			ch.recall(a)
		}
	}
	for _, m := range ch.def.Stops {
		if e.Time >= ch.relevantFrom && m.holds(e, ch.trigger, ch.customer) {
			ch.recall(a)
		}
	}
}

// States returns the later states of all deliveries so far, in the order reached.
func (a *Auditor) States() []State { return slices.Clone(a.states) }
