package machine

import (
	"cmp"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
)

// Settle applies the result of an attempt. A result of a delivery that is no
// longer pending changes nothing: it was settled by an earlier one, or recalled or
// expired while the attempt was under way.
func (m *Machine) Settle(c *customer.Customer, r *output.Result, now int64, out *output.Output) {
	m.begin(c, now, out)
	if m.trace != nil {
		m.trace.Step(trace.Step{At: now, What: "result"})
	}
	at := -1
	for i := range c.Pending {
		if c.Pending[i].Delivery.ID == r.Delivery {
			at = i
		}
	}
	if at < 0 {
		return
	}
	p := &c.Pending[at]
	switch {
	case r.Verdict == output.Accepted:
		m.accepted(at, []byte(r.Reply))
	case r.Attempt != p.Delivery.Attempt || p.RetryAt != 0:
		// an older attempt's answer, delivered again
	case r.Verdict == output.Permanent:
		m.gaveUp(at, output.StatusFailed, cmp.Or(r.Reason, output.ReasonPermanent), r.Detail)
	case p.Delivery.Attempt >= maxAttempts:
		m.gaveUp(at, output.StatusFailed, output.ReasonAttempts, r.Detail)
	default:
		p.RetryAt = min(now+retryAfter[p.Delivery.Attempt], p.Delivery.Expires)
		d := p.Delivery
		d.Detail = r.Detail
		m.settle(d, output.StatusRetry, output.Retried, output.ReasonTemporary)
	}
	m.rest()
	m.followProfile(nil)
	m.applyEmitted(out)
}

// firePending emits the next attempt, or gives a delivery up that is too old.
func (m *Machine) firePending(at int) {
	p := &m.c.Pending[at]
	if m.now >= p.Delivery.Expires {
		// What follows was due then, also where a retry comes so late.
		m.planned = p.Delivery.Expires
		m.late = m.now-m.planned > lateAfter
		m.gaveUp(at, output.StatusExpired, output.ReasonExpired, "")
		return
	}
	p.RetryAt = 0
	p.Delivery.Attempt++
	p.Delivery.At = m.now
	m.out.Deliveries = append(m.out.Deliveries, p.Delivery)
}

// accepted ends a delivery that its channel took; reply is what a call got.
func (m *Machine) accepted(at int, reply []byte) {
	d := m.remove(at).Delivery
	m.settle(d, output.StatusSent, output.Delivered, output.NoReason)
	m.answered(&d, true, reply)
}

// gaveUp ends a delivery that failed for good; detail is what the channel said.
func (m *Machine) gaveUp(at int, status output.Status, reason output.Reason, detail string) {
	p := m.remove(at)
	d := p.Delivery
	d.Detail = detail
	m.settle(d, status, output.Failed, reason)
	m.answered(&d, false, nil)
	m.failed(&d)
	attempted := status != output.StatusFailed && p.RetryAt == 0 // one may be out, and arrive
	if !attempted && m.refund(d.ID) {
		m.resumeHeld(output.ReasonCap)
	}
}

// remove takes a delivery from those whose result is not known.
func (m *Machine) remove(at int) customer.Pending {
	p := m.c.Pending[at]
	m.c.Pending = append(m.c.Pending[:at], m.c.Pending[at+1:]...)
	return p
}

// failed moves a live chain to where the send of a delivery that failed for good says, or
// the call for which it did not wait.
// It only goes forward: a chain that is there already, or beyond, stays where it is.
func (m *Machine) failed(d *output.Delivery) {
	for _, ch := range m.c.Chains {
		if ch.Campaign != d.Campaign || ch.Entry != d.Entry || !ch.Live() {
			continue
		}
		p := m.set.ProgramOf(ch)
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
			m.moveOn(ch, onFail)
		}
	}
}

// recall takes back what a stopped chain handed off and no channel has taken.
func (m *Machine) recall(ch *customer.Chain) {
	kept := m.c.Pending[:0]
	for _, p := range m.c.Pending {
		if p.Delivery.Campaign != ch.Campaign || p.Delivery.Entry != ch.Entry {
			kept = append(kept, p)
			continue
		}
		m.settle(p.Delivery, output.StatusRecall, output.Recalled, output.ReasonChainEnd)
	}
	clear(m.c.Pending[len(kept):])
	m.c.Pending = kept
}

// settle writes a later state of a delivery.
func (m *Machine) settle(d output.Delivery, status output.Status, kind output.Kind, reason output.Reason) {
	d.Status, d.Reason, d.At, d.Values = status, reason, m.now, nil
	m.out.Deliveries = append(m.out.Deliveries, d)
	m.decide(output.Decision{
		Campaign: d.Campaign, Version: d.Version, Key: d.Key, Entry: d.Entry, Step: d.Step,
		Kind: kind, Reason: reason, Detail: d.Channel,
	})
}

// Erase recalls what was handed off to a customer who is erased, and has not left. What
// else there is of c must be forgotten by the caller.
func (m *Machine) Erase(c *customer.Customer, now int64, out *output.Output) {
	m.begin(c, now, out)
	for _, p := range c.Pending {
		m.settle(p.Delivery, output.StatusRecall, output.Recalled, output.ReasonErased)
	}
	c.Pending = nil
}
