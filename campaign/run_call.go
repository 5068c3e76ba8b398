package campaign

// call hands the request off; calls ask neither consent nor caps nor quiet hours. That of
// a held-out chain is a ghost, for whose reply nobody waits.
func (m *Machine) call(p *Program, s *Step, v *Call, ch *Chain, next string) (_ string, rests bool) {
	failed := next
	if v.OnFail != "" {
		failed = v.OnFail
	}
	values, missing := m.capture(p, p.needs[s.ID], ch)
	planned := m.planned
	if planned == 0 {
		planned = m.now
	}
	d := Delivery{
		ID: callID(ch, m.c, s.ID), Workspace: m.c.Workspace, Campaign: ch.Campaign, Version: ch.Version,
		Customer: m.c.ID, Key: ch.Key, Entry: ch.Entry, Step: s.ID, Channel: CallChannel, Variant: ch.variant(),
		TriggerID: m.triggerID(), At: m.now, Due: planned, Expires: m.now + v.lasts(), Attempt: 1,
		Values: values,
	}
	switch {
	case m.late && p.Late == LateSkip:
		m.drop(d, ch, ReasonLate, "")
		return failed, false
	case m.set.SendsOff(p.Name, CallChannel):
		m.drop(d, ch, ReasonOff, "")
		return failed, false
	case !ch.HeldOut && len(m.c.Pending) >= maxPending:
		m.drop(d, ch, ReasonPending, "")
		return failed, false
	case missing != "":
		m.drop(d, ch, ReasonVariable, missing)
		return failed, false
	}
	if ch.HeldOut { // nothing leaves: it is taken to have succeeded, without a reply
		d.Status = StatusGhost
		m.out.Deliveries = append(m.out.Deliveries, d)
		m.decideChain(ch, Ghosted, NoReason, s.ID, CallChannel)
		return next, false
	}
	d.Status = HandedOff
	m.out.Deliveries = append(m.out.Deliveries, d)
	m.c.Pending = append(m.c.Pending, Pending{Delivery: d})
	m.decideChain(ch, Sent, NoReason, s.ID, CallChannel)
	if v.Wait {
		ch.Due = m.now + v.Timeout
	}
	return next, v.Wait
}

func callID(ch *Chain, c *Customer, step string) ID {
	return DeliveryID(ch.id(c), step, CallChannel, ch.leaps)
}

// answered moves the chain on that rests in the call whose delivery d has ended.
func (m *Machine) answered(d *Delivery, succeeded bool, reply []byte) {
	if d.Channel != CallChannel {
		return
	}
	for _, ch := range m.c.Chains {
		if !ch.live() || ch.Campaign != d.Campaign || ch.Entry != d.Entry || ch.Step != d.Step {
			continue
		}
		p := m.set.of(ch)
		if p == nil || callID(ch, m.c, ch.Step) != d.ID {
			return
		}
		s, at := p.step(ch.Step)
		if s == nil {
			return
		}
		v, ok := s.Verb.(*Call)
		if !ok || !v.Wait || ch.Due == 0 {
			return
		}
		next := p.after(at)
		if succeeded {
			ch.reply = reply
		} else if v.OnFail != "" {
			next = v.OnFail
		}
		m.moveOn(ch, m.leap(p, ch, at, next))
		return
	}
}
