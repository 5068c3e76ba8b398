package machine

import (
	"slices"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
)

// undecided are the channels of a send that are still to be decided.
func undecided(ch *customer.Chain, s *program.Send) []string {
	if ch.Held == nil {
		return s.Channels
	}
	var open []string
	for _, channel := range s.Channels {
		if slices.Contains(ch.Held.Open, channel) {
			open = append(open, channel)
		}
	}
	return open
}

// resume lets a chain that rests in a held send ask again. One that a later version leaves
// behind ends, as in moveOn.
func (m *Machine) resume(ch *customer.Chain) {
	if m.leftBehind(ch) {
		return
	}
	ch.Due, ch.Wake = 0, 0
	if !slices.Contains(m.ready, ch) {
		m.ready = append(m.ready, ch)
	}
}

// heldSend says whether the chain is held at a send: a new version can have made another step
// of it.
func (m *Machine) heldSend(ch *customer.Chain) bool {
	p := m.set.ProgramOf(ch)
	if ch.Held == nil || p == nil {
		return false
	}
	s, _ := p.Step(ch.Step)
	if s == nil {
		return false
	}
	_, sends := s.Verb.(*program.Send)
	return sends
}

// resumeHeld lets the chains ask again that wait for this reason.
func (m *Machine) resumeHeld(reasons ...output.Reason) {
	for _, ch := range m.c.Chains {
		if ch.Live() && m.heldSend(ch) && slices.Contains(reasons, ch.Held.Reason) {
			m.resume(ch)
		}
	}
}

// deferSend writes that a delivery waits: one line for a delivery, and a decision each
// time that it waits for something else.
func (m *Machine) deferSend(d output.Delivery, ch *customer.Chain, r refusal) {
	first := ch.Held == nil
	if first {
		d.Status, d.Reason, d.Values = output.StatusDefer, r.reason, nil
		m.out.Deliveries = append(m.out.Deliveries, d)
	}
	if first || ch.Held.Reason != r.reason || ch.Held.Until != r.until {
		m.decideChain(ch, output.Deferred, r.reason, d.Step, r.detail)
	}
}

// dropped is the first refusal that dropped a channel of a send.
type dropped struct {
	refusal

	any    bool // a channel was dropped
	failed bool // the message could not be made of the values
}

func (d *dropped) add(r refusal) {
	if !d.any {
		d.any, d.refusal = true, r
	}
	d.failed = d.failed || r.reason == output.ReasonVariable
}

// afterSend is what becomes of a chain whose send is decided on all channels. sent says that one of
// them handed its delivery off.
func (m *Machine) afterSend(t *pendingSend, s *program.Send, d *dropped, sent bool) sendResult {
	next := t.program.After(t.step)
	switch {
	case d.failed && s.OnFail != "":
		next = s.OnFail
	case sent || !d.any:
	case s.OnDrop.Exit:
		return sendResult{exit: d.refusal}
	case s.OnDrop.Goto != "":
		next = s.OnDrop.Goto
		if m.trace != nil {
			m.trace.Note(trace.Row(t.program, t.chain, trace.RuleDrop, trace.Note, trace.TextFact("then", next)))
		}
	}
	return sendResult{goesOn: true, next: next}
}
