package machine

import (
	"slices"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
)

// resume lets a chain that rests in a held send ask the gates again. A chain that a later version does
// not take along ends, as in moveOn.
func (cs *chains) resume(ch *customer.Chain) {
	if cs.leftBehind(ch) {
		return
	}
	ch.Due, ch.Wake = 0, 0
	if !slices.Contains(cs.ready, ch) {
		cs.ready = append(cs.ready, ch)
	}
}

// heldSend reports whether the chain is held at a send. Held alone does not tell: a new version
// can have made another verb of the step.
func (cs *chains) heldSend(ch *customer.Chain) bool {
	p := cs.set.ProgramOf(ch)
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

// resumeHeld lets the chains ask again whose sends are held for one of the reasons, because what
// caused it has changed: a cap got room, or the customer's local time moved.
func (cs *chains) resumeHeld(reasons ...output.Reason) {
	for _, ch := range cs.c.Chains {
		if ch.Live() && cs.heldSend(ch) && slices.Contains(reasons, ch.Held.Reason) {
			cs.resume(ch)
		}
	}
}
