package audit

import (
	"cmp"
	"slices"
	"time"
)

// CallChannel is the channel of the requests that call steps make.
const CallChannel = "call"

// SubjectReply is the subject of a comparison with the reply to the chain's last call.
const SubjectReply = "reply"

// defaultTimeout is how long a chain waits for a reply where its step does not say, in ms.
const defaultTimeout = 24 * 3_600_000

// Call makes a request. With Wait the chain rests until the reply, for Timeout at most; 0 means not
// given. OnFail is a later step; where it is empty the chain goes on.
type Call struct {
	Wait    bool
	Timeout time.Duration
	Expires time.Duration
	OnFail  string
	Needs   string // a property of the trigger that the request names
}

func (c *Call) timeout() int64 { return cmp.Or(c.Timeout.Milliseconds(), defaultTimeout) }

// makeCall hands a request off and goes on, or rests until the reply. Of the checks of a message
// only two apply: whether sends are switched off, and whether the values that the request names are
// there.
func (ch *chain) makeCall(a *Auditor, s Step) {
	call := s.Call
	ch.send = pendingSend{due: ch.planned}
	defer func() { ch.send = pendingSend{} }()
	switch reason := a.callDropReason(ch, call); {
	case reason != "":
		a.note(NoteCallDropped)
		a.writeDelivery(ch, s, CallChannel, Dropped, reason)
		ch.advance(call.OnFail)
		return
	case ch.heldOut:
		a.note(NoteCallGhost)
		a.writeDelivery(ch, s, CallChannel, Ghost, "")
		ch.advance("")
		return
	}
	a.writeDelivery(ch, s, CallChannel, HandedOff, "")
	expires := cmp.Or(call.Expires.Milliseconds(), defaultExpires)
	if call.Wait {
		expires = min(expires, call.timeout())
	}
	p := &pending{
		chain: ch, step: s.ID, channel: CallChannel, attempt: 1,
		number: ch.customer.messageNumber(ch, s.ID, CallChannel), expires: a.now + expires,
	}
	ch.customer.pending = append(ch.customer.pending, p)
	if !call.Wait {
		ch.advance("")
		return
	}
	ch.rest(a.now+call.timeout(), true)
	ch.awaitedCall = p
}

// callDropReason returns why a request is not made; empty if it is.
func (a *Auditor) callDropReason(ch *chain, call *Call) string {
	switch {
	case ch.late && ch.def.Late == LateSkip:
		return "late"
	case a.policy.OffAll || slices.Contains(a.policy.OffChannels, CallChannel) ||
		slices.Contains(a.policy.OffCampaigns, ch.def.Name):
		return "sends_off"
	case call.Needs != "" && ch.trigger.Properties[call.Needs] == nil:
		return "missing_variable"
	}
	return ""
}

// isAwaited reports whether the chain rests for the result of the request.
func (p *pending) isAwaited() bool {
	ch := p.chain
	s, _ := ch.step()
	return ch.awaitedCall == p && ch.live() && ch.resting && ch.stepID == p.step && s.Call != nil && s.Call.Wait
}

// applyReply takes the reply of a request and has the chain go on that waits for it.
func (p *pending) applyReply(a *Auditor, reply map[string]any) {
	ch := p.chain
	if !p.isAwaited() {
		if p.channel == CallChannel && ch.live() {
			a.note(NoteCallBeyond)
		}
		return
	}
	a.note(NoteCallReply)
	ch.reply = reply // nil if the answer has none
	ch.continueAfterCall(a, "", a.now)
	a.runToQuiescence(ch.customer)
	a.applyEmitted(ch.customer)
}

// continueAfterCall has the chain go on from its call, or end where a new version does not take it
// along.
func (ch *chain) continueAfterCall(a *Auditor, target string, planned int64) {
	if ch.endIfExiting(a) {
		return
	}
	ch.awaitedCall, ch.depth, ch.planned, ch.late = nil, 0, planned, a.now-planned > lateAfter
	ch.advance(target)
}

// failAwaited has the chain that waits for a failed request go where the step says. It reports
// whether there is one.
func (p *pending) failAwaited(a *Auditor, planned int64) bool {
	if !p.isAwaited() {
		return false
	}
	a.note(NoteCallFailed)
	s, _ := p.chain.step()
	p.chain.continueAfterCall(a, s.Call.OnFail, planned)
	return true
}
