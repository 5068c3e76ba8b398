package machine

import (
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
)

// answered moves the chain on that rests in the call whose delivery d has ended.
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

// failed moves a live chain to where the send of a delivery that failed for good says, or
// the call for which it did not wait.
// It only goes forward: a chain that is there already, or beyond, stays where it is.
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
