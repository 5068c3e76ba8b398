package machine

import (
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
)

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
		_, at := p.Step(ch.Step)
		if _, target := p.Step(onFail); onFail == program.EndStep || target > at {
			cs.moveOn(ch, onFail)
		}
	}
}
