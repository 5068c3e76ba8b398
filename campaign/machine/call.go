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
	// planned is 0 when the step was not delayed.
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
	// A held-out chain leaves nothing pending, so it needs no room.
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
	// The timer is the timeout; a result that comes before ends the rest.
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

// answered moves on the chain that rests in the call step whose delivery d has ended. succeeded
// says that the request was accepted; reply is its body then, which later steps can read.
//
// The reply counts only where the chain still rests in that very visit of the step: the delivery
// id contains the number of back jumps, so a late reply to an earlier round of a loop finds no
// chain, and one whose timeout has fired already (Due is 0, or the chain is elsewhere) changes
// nothing.
func (cs *chains) answered(d *output.Delivery, succeeded bool, reply []byte) {
	if d.Channel != program.CallChannel {
		return
	}
	for _, ch := range cs.c.Chains {
		if !ch.Live() || ch.Campaign != d.Campaign || ch.Entry != d.Entry || ch.Step != d.Step {
			continue
		}
		p := cs.set.ProgramOf(ch)
		// The id contains the number of back jumps: another visit of the step has another id.
		if p == nil || callID(ch, cs.c, ch.Step) != d.ID {
			return
		}
		s, at := p.Step(ch.Step)
		if s == nil {
			return
		}
		v, ok := s.Verb.(*program.Call)
		if !ok || !v.Wait || ch.Due == 0 {
			return
		}
		next := p.After(at)
		if succeeded {
			ch.Reply = reply
		} else if v.OnFail != "" {
			next = v.OnFail
		}
		cs.moveOn(ch, cs.jumpBack(p, ch, at, next))
		return
	}
}

// failed moves a live chain to the on_fail step of the send, or of the call without wait, whose
// delivery d failed for good. The chain has usually gone on since: it only goes forward, so one that
// is at that step already, or beyond it, stays where it is.
func (cs *chains) failed(d *output.Delivery) {
	for _, ch := range cs.c.Chains {
		if ch.Campaign != d.Campaign || ch.Entry != d.Entry || !ch.Live() {
			continue
		}
		p := cs.set.ProgramOf(ch)
		if p == nil {
			return
		}
		step, _ := p.Step(d.Step)
		if step == nil {
			return
		}
		onFail := step.AfterFailure()
		if onFail == "" {
			return
		}
		// Behind the chain's place a goto would be a loop that the author did not write.
		_, at := p.Step(ch.Step)
		if _, target := p.Step(onFail); onFail == program.EndStep || target > at {
			cs.moveOn(ch, onFail)
		}
	}
}
