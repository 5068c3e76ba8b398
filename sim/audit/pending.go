package audit

import (
	"cmp"
	"math"
	"slices"
)

// Verdicts of an attempt.
const (
	Accepted  = "accepted"
	Temporary = "temporary"
	Permanent = "permanent"
)

// Later states of a delivery. An attempt after the first is handed off again.
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

// defaultExpires is how long a delivery may leave when its step does not say, ms.
const defaultExpires = 24 * 3_600_000

// pauses are those before the second attempt and the further ones, ms; there is none
// after the last.
func pauses() []int64 { return []int64{5_000, 300_000, 1_800_000, 7_200_000, 18_000_000} }

// State is a later state of a delivery, reached at the log time At with Attempt in
// hand.
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
	Holder   string         // whose it is, when its chain was entered under another id
}

// pending is a delivery without a final state.
type pending struct {
	chain   *chain
	step    string
	channel string
	attempt int
	retry   int64 // when the next attempt is made; 0 while one is out
	expires int64
	number  int // of the messages of its step and channel: a loop sends it again
}

func (p *pending) due() int64 {
	if p.retry != 0 {
		return p.retry
	}
	return p.expires
}

// becomes writes a later state down.
func (p *pending) becomes(a *Auditor, status string) {
	a.states = append(a.states, State{
		Campaign: p.chain.def.Name, Customer: p.chain.customer.id, Entry: p.chain.entry, Step: p.step,
		Channel: p.channel, Number: p.number, Status: status, Attempt: p.attempt, At: a.now,
	})
}

// finish is becomes for a final state.
func (p *pending) finish(a *Auditor, status string) {
	c := p.chain.customer
	c.pending = slices.DeleteFunc(c.pending, func(o *pending) bool { return o == p })
	p.becomes(a, status)
}

// fire makes the next attempt, or gives up what is too old.
func (p *pending) fire(a *Auditor) {
	if a.now >= p.expires {
		failed := p.retry != 0 // else the attempt that is out may have arrived
		p.finish(a, Expired)
		p.fails(a, failed, p.expires)
		return
	}
	p.retry = 0
	p.attempt++
	p.becomes(a, HandedOff)
}

// fails moves the chain where its step says, when it lives and is not beyond, and gives
// back what the message took when it surely did not arrive.
func (p *pending) fails(a *Auditor, surely bool, planned int64) {
	if p.misses(a, planned) {
		return
	}
	ch, onFail := p.chain, p.onFail()
	to := ch.indexOf(onFail)
	if onFail == End {
		to = len(ch.def.Steps)
	}
	if i := ch.index(); onFail != "" && ch.live() && to > i && i >= 0 && !ch.dismissed(a) {
		a.note(NoteOnFail)
		ch.asks, ch.depth = asks{}, 0
		ch.resting, ch.timed = false, false
		ch.at, ch.planned, ch.late = onFail, planned, a.now-planned > lateAfter
	}
	if surely {
		p.refund(a, planned)
	}
}

// onFail is where the step leads by the text that the chain goes by now; a call for whose reply
// it waits leads by itself.
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

// Result applies a result at the current log time. A channel that took any attempt
// has the message; a failure counts only for the attempt that is out.
func (a *Auditor) Result(r Result) {
	if !a.known(cmp.Or(r.Holder, r.Customer)) {
		return // forgotten
	}
	c, _ := a.customer(cmp.Or(r.Holder, r.Customer))
	a.visit(c)
	at := slices.IndexFunc(c.pending, func(p *pending) bool {
		return p.chain.def.Name == r.Campaign && p.chain.origin() == birth{r.Customer, r.Entry} && p.step == r.Step &&
			p.channel == r.Channel && p.number == r.Number
	})
	if at < 0 {
		return // it has an end already
	}
	p := c.pending[at]
	switch {
	case r.Verdict == Accepted:
		p.finish(a, Sent)
		p.replied(a, r.Reply)
	case r.Attempt != p.attempt || p.retry != 0: // an answer to an older attempt
	case r.Verdict == Permanent || p.attempt > len(pauses()):
		p.finish(a, Failed)
		p.fails(a, true, a.now)
		a.settle(c)
		a.derive(c)
	default:
		p.retry = min(a.now+pauses()[p.attempt-1], p.expires)
		p.becomes(a, Retrying)
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

// recallLate does so for a chain that had ended, at an event that would have stopped
// it.
func (ch *chain) recallLate(a *Auditor, e *Event) {
	for _, g := range ch.def.Goals {
		if g.Stop && e.Time >= ch.began() && e.Time <= ch.until(g) && g.Match.holds(e, ch.trigger, ch.customer) {
			ch.recall(a)
		}
	}
	for _, m := range ch.def.Stops {
		if e.Time >= ch.began() && m.holds(e, ch.trigger, ch.customer) {
			ch.recall(a)
		}
	}
}

// began is the event time before which nothing concerns the chain.
func (ch *chain) began() int64 { return ch.begins }

// until is the last instant of a goal's window; where no end is set, the end of time.
func (ch *chain) until(g Goal) int64 {
	switch {
	case g.Window == 0 || g.FromDelivery && !ch.delivered:
		return math.MaxInt64
	case g.FromDelivery:
		return ch.lastDelivery + g.Window.Milliseconds()
	}
	return ch.enteredAt + g.Window.Milliseconds()
}

// States are the later states of all deliveries so far, in the order reached.
func (a *Auditor) States() []State { return slices.Clone(a.states) }
