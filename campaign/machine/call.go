package machine

import (
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
)

// call hands off the request of a call step of chain ch. It returns the step to which the chain goes
// and whether it rests here until the reply.
//
// Calls ask neither consent nor caps nor quiet hours: they reach the company's own systems, not the
// customer. A refused call is dropped and the chain goes to on_fail at once. The call of a held-out
// chain is recorded as a ghost, and the chain does not wait for a reply.
func (sd *sends) call(
	p *program.Program,
	s *program.Step,
	v *program.Call,
	ch *customer.Chain,
	next string,
) (_ string, rests bool) {
	failed := next
	if v.OnFail != "" {
		failed = v.OnFail
	}
	values, missing := sd.capture(p, p.Needs[s.ID], ch)
	planned := sd.planned
	if planned == 0 {
		planned = sd.now
	}
	d := output.Delivery{
		ID: callID(ch, sd.c, s.ID), Workspace: sd.c.Workspace, Campaign: ch.Campaign, Version: ch.Version,
		Customer: sd.c.ID, Key: ch.Key, Entry: ch.Entry, Step: s.ID, Channel: program.CallChannel,
		Variant:   ch.Variant(),
		TriggerID: sd.triggerID(), At: sd.now, Due: planned, Expires: sd.now + v.Lasts(), Attempt: 1,
		Values: values,
	}
	switch {
	case sd.late && p.Late == program.LateSkip:
		sd.drop(d, ch, output.ReasonLate, "")
		return failed, false
	case sd.set.SendsOff(p.Name, program.CallChannel):
		sd.drop(d, ch, output.ReasonOff, "")
		return failed, false
	case !ch.HeldOut && len(sd.c.Pending) >= customer.MaxPending:
		sd.drop(d, ch, output.ReasonPending, "")
		return failed, false
	case missing != "":
		sd.drop(d, ch, output.ReasonVariable, missing)
		return failed, false
	}
	if ch.HeldOut { // nothing leaves: it is taken to have succeeded, without a reply
		d.Status = output.StatusGhost
		sd.out.delivery(d)
		sd.out.decideChain(ch, output.Ghosted, output.NoReason, s.ID, program.CallChannel)
		return next, false
	}
	d.Status = output.HandedOff
	sd.out.delivery(d)
	sd.c.Pending = append(sd.c.Pending, customer.Pending{Delivery: d})
	sd.out.decideChain(ch, output.Sent, output.NoReason, s.ID, program.CallChannel)
	if v.Wait {
		ch.Due = sd.now + v.Timeout
	}
	return next, v.Wait
}

// callID returns the id of the delivery that a call step makes. It is the same on replay, so the
// receiver can recognise a request that it got twice, and differs for each round of a loop.
func callID(ch *customer.Chain, c *customer.Customer, step string) output.ID {
	return output.DeliveryID(ch.ID(c), step, program.CallChannel, ch.BackJumps)
}
