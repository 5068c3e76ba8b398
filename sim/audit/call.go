package audit

import (
	"cmp"
	"slices"
	"time"
)

// CallChannel is the channel of the requests that steps make.
const CallChannel = "call"

// SubjectReply is the subject of a comparison with the last reply to a call of the chain.
const SubjectReply = "reply"

// defaultTimeout is how long a chain waits for a reply when its step does not say, ms.
const defaultTimeout = 24 * 3_600_000

// Call makes a request. With Wait the chain rests for the reply, Timeout at most; 0 is not
// given. OnFail is a later step; empty goes on.
type Call struct {
	Wait    bool
	Timeout time.Duration
	Expires time.Duration
	OnFail  string
	Needs   string // a property of the trigger that the request names
}

func (c *Call) timeout() int64 { return cmp.Or(c.Timeout.Milliseconds(), defaultTimeout) }

func (c *Call) yaml() string {
	f := fields{}.add("url", "https://example.com/hook")
	if c.Needs != "" {
		f = f.add("body", quote("{{ trigger.properties."+c.Needs+" }}"))
	}
	f = f.addIf(c.Wait, "wait", "true").addIf(c.Timeout != 0, "timeout", Duration(c.Timeout))
	f = f.addIf(c.Expires != 0, "expires", Duration(c.Expires))
	return "{" + f.addIf(c.OnFail != "", "on_fail", "{goto: "+quote(c.OnFail)+"}").text() + "}"
}

// call hands a request off and goes on, or rests for the reply. Of what is asked before a
// message leaves only the switches count, and whether the values that it names are there.
func (ch *chain) call(a *Auditor, s Step) {
	call := s.Call
	ch.asks = asks{due: ch.planned}
	defer func() { ch.asks = asks{} }()
	switch reason := a.uncalled(ch, call); {
	case reason != "":
		a.note(NoteCallDropped)
		a.line(ch, s, CallChannel, Dropped, reason)
		ch.leave(call.OnFail)
		return
	case ch.heldOut:
		a.note(NoteCallGhost)
		a.line(ch, s, CallChannel, Ghost, "")
		ch.leave("")
		return
	}
	a.line(ch, s, CallChannel, HandedOff, "")
	expires := cmp.Or(call.Expires.Milliseconds(), defaultExpires)
	if call.Wait {
		expires = min(expires, call.timeout())
	}
	p := &pending{
		chain: ch, step: s.ID, channel: CallChannel, attempt: 1,
		number: ch.customer.handed(ch, s.ID, CallChannel), expires: a.now + expires,
	}
	ch.customer.pending = append(ch.customer.pending, p)
	if !call.Wait {
		ch.leave("")
		return
	}
	ch.rest(a.now+call.timeout(), true)
	ch.calling = p
}

// uncalled says why a request is not made.
func (a *Auditor) uncalled(ch *chain, call *Call) string {
	switch {
	case ch.late && ch.def.Late == LateSkip:
		return "late"
	case a.house.OffAll || slices.Contains(a.house.OffChannels, CallChannel) ||
		slices.Contains(a.house.OffCampaigns, ch.def.Name):
		return "sends_off"
	case call.Needs != "" && ch.trigger.Properties[call.Needs] == nil:
		return "missing_variable"
	}
	return ""
}

// awaited says whether the chain rests for what becomes of a request.
func (p *pending) awaited() bool {
	ch := p.chain
	s, _ := ch.step()
	return ch.calling == p && ch.live() && ch.resting && ch.at == p.step && s.Call != nil && s.Call.Wait
}

// replied takes the reply of a request and has a chain that waits for it go on.
func (p *pending) replied(a *Auditor, reply map[string]any) {
	ch := p.chain
	if !p.awaited() {
		if p.channel == CallChannel && ch.live() {
			a.note(NoteCallBeyond)
		}
		return
	}
	a.note(NoteCallReply)
	ch.reply = reply // of the last call that was answered, nothing where that has none
	ch.answered(a, "", a.now)
	a.settle(ch.customer)
	a.derive(ch.customer)
}

// answered: the chain goes on from its call, or ends where a new version does not take it
// along.
func (ch *chain) answered(a *Auditor, target string, planned int64) {
	if ch.dismissed(a) {
		return
	}
	ch.calling, ch.depth, ch.planned, ch.late = nil, 0, planned, a.now-planned > lateAfter
	ch.leave(target)
}

// misses has a chain that waits for a request that failed go where the step says.
func (p *pending) misses(a *Auditor, planned int64) bool {
	if !p.awaited() {
		return false
	}
	a.note(NoteCallFailed)
	s, _ := p.chain.step()
	p.chain.answered(a, s.Call.OnFail, planned)
	return true
}

// Notes about calls.
const (
	NoteCallReply   = "chain goes on by the reply of its call"
	NoteCallFailed  = "call that a chain waited for failed"
	NoteCallDropped = "call not made"
	NoteCallGhost   = "ghost of a call"
	NoteCallBeyond  = "reply to a call that nobody waits for"
)

func callNotes() []string {
	return []string{
		NoteCallReply, NoteCallFailed, NoteCallDropped, NoteCallGhost, NoteCallBeyond,
	}
}
