package machine

import (
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
)

// call hands the request off; calls ask neither consent nor caps nor quiet hours. That of
// a held-out chain is a ghost, for whose reply nobody waits.
func (m *Machine) call(
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
	values, missing := m.capture(p, p.Needs[s.ID], ch)
	planned := m.planned
	if planned == 0 {
		planned = m.now
	}
	d := output.Delivery{
		ID: callID(ch, m.c, s.ID), Workspace: m.c.Workspace, Campaign: ch.Campaign, Version: ch.Version,
		Customer: m.c.ID, Key: ch.Key, Entry: ch.Entry, Step: s.ID, Channel: program.CallChannel, Variant: ch.Variant(),
		TriggerID: m.triggerID(), At: m.now, Due: planned, Expires: m.now + v.Lasts(), Attempt: 1,
		Values: values,
	}
	switch {
	case m.late && p.Late == program.LateSkip:
		m.drop(d, ch, output.ReasonLate, "")
		return failed, false
	case m.set.SendsOff(p.Name, program.CallChannel):
		m.drop(d, ch, output.ReasonOff, "")
		return failed, false
	case !ch.HeldOut && len(m.c.Pending) >= customer.MaxPending:
		m.drop(d, ch, output.ReasonPending, "")
		return failed, false
	case missing != "":
		m.drop(d, ch, output.ReasonVariable, missing)
		return failed, false
	}
	if ch.HeldOut { // nothing leaves: it is taken to have succeeded, without a reply
		d.Status = output.StatusGhost
		m.out.Deliveries = append(m.out.Deliveries, d)
		m.decideChain(ch, output.Ghosted, output.NoReason, s.ID, program.CallChannel)
		return next, false
	}
	d.Status = output.HandedOff
	m.out.Deliveries = append(m.out.Deliveries, d)
	m.c.Pending = append(m.c.Pending, customer.Pending{Delivery: d})
	m.decideChain(ch, output.Sent, output.NoReason, s.ID, program.CallChannel)
	if v.Wait {
		ch.Due = m.now + v.Timeout
	}
	return next, v.Wait
}

func callID(ch *customer.Chain, c *customer.Customer, step string) output.ID {
	return output.DeliveryID(ch.ID(c), step, program.CallChannel, ch.BackJumps)
}

// answered moves the chain on that rests in the call whose delivery d has ended.
func (m *Machine) answered(d *output.Delivery, succeeded bool, reply []byte) {
	if d.Channel != program.CallChannel {
		return
	}
	for _, ch := range m.c.Chains {
		if !ch.Live() || ch.Campaign != d.Campaign || ch.Entry != d.Entry || ch.Step != d.Step {
			continue
		}
		p := m.set.ProgramOf(ch)
		if p == nil || callID(ch, m.c, ch.Step) != d.ID {
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
		m.moveOn(ch, m.jumpBack(p, ch, at, next))
		return
	}
}
