package machine

import (
	"cmp"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/trace"
)

// deliveries follows what was handed off until its result is known. Such deliveries are in the
// customer's Pending; one that is not there has ended, so each ends exactly once.
type deliveries struct {
	*turn
}

// settle writes a later status of a delivery, and the decision that says so. The values of the message
// are left out: they were written when it was handed off. It does not remove the delivery.
func (ds *deliveries) settle(d output.Delivery, status output.Status, kind output.Kind, reason output.Reason) {
	d.Status, d.Reason, d.At, d.Values = status, reason, ds.now, nil
	ds.out.delivery(d)
	ds.out.decide(output.Decision{
		Campaign: d.Campaign, Version: d.Version, Key: d.Key, Entry: d.Entry, Step: d.Step,
		Kind: kind, Reason: reason, Detail: d.Channel,
	})
}

// recall takes back what a chain handed off and no channel has taken yet. A channel that is sending
// it at this moment may still deliver it: a recall is not a promise.
func (ds *deliveries) recall(ch *customer.Chain) {
	kept := ds.c.Pending[:0]
	for _, p := range ds.c.Pending {
		if p.Delivery.Campaign != ch.Campaign || p.Delivery.Entry != ch.Entry {
			kept = append(kept, p)
			continue
		}
		ds.settle(p.Delivery, output.StatusRecall, output.Recalled, output.ReasonChainEnd)
	}
	clear(ds.c.Pending[len(kept):])
	ds.c.Pending = kept
}

// remove takes the delivery at an index out of those whose result is not known, and returns it.
func (ds *deliveries) remove(at int) customer.Pending {
	p := ds.c.Pending[at]
	ds.c.Pending = append(ds.c.Pending[:at], ds.c.Pending[at+1:]...)
	return p
}

// Settle applies the result of an attempt to deliver. A result of a delivery that is no
// longer pending changes nothing: it was settled by an earlier one, or recalled or
// expired while the attempt was under way. So a result that comes twice counts once.
//
// An acceptance counts whichever attempt it belongs to: the message has arrived. A failure counts only
// for the current attempt.
func (m *Machine) Settle(c *customer.Customer, r *output.Result, now int64, out *output.Output) {
	m.begin(c, now, out)
	if m.trace != nil {
		m.trace.Step(trace.Step{At: now, What: "result"})
	}
	// Pending is short, so it is searched.
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
		// Never after the expiry: then the delivery is given up at its timer.
		p.RetryAt = min(now+retryAfter[p.Delivery.Attempt], p.Delivery.Expires)
		d := p.Delivery
		d.Detail = r.Detail
		m.deliveries.settle(d, output.StatusRetry, output.Retried, output.ReasonTemporary)
	}
	m.rest()
	m.followProfile(nil)
	m.applyEmitted(out)
}

// firePending emits the next attempt of a pending delivery, or gives it up if it has expired.
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
	m.rows.delivery(p.Delivery)
}

// accepted ends a delivery that its channel took; reply is the body of the response to a call.
func (m *Machine) accepted(at int, reply []byte) {
	d := m.deliveries.remove(at).Delivery
	m.deliveries.settle(d, output.StatusSent, output.Delivered, output.NoReason)
	m.chains.answered(&d, true, reply)
}

// gaveUp ends a delivery that failed for good; detail is what the channel said. Chains go where the step
// says, and the place under caps is given back, unless the message may have arrived: an attempt that
// was under way when the delivery expired has no result yet.
func (m *Machine) gaveUp(at int, status output.Status, reason output.Reason, detail string) {
	p := m.deliveries.remove(at)
	d := p.Delivery
	d.Detail = detail
	m.deliveries.settle(d, status, output.Failed, reason)
	m.chains.answered(&d, false, nil)
	m.chains.failed(&d)
	attempted := status != output.StatusFailed && p.RetryAt == 0 // one may be out, and arrive
	if !attempted && m.sends.refund(d.ID) {
		m.chains.resumeHeld(output.ReasonCap)
	}
}

// Erase recalls what was handed off to a customer who is erased, and no channel has taken. The caller
// must forget everything else of c.
func (m *Machine) Erase(c *customer.Customer, now int64, out *output.Output) {
	m.begin(c, now, out)
	for _, p := range c.Pending {
		m.deliveries.settle(p.Delivery, output.StatusRecall, output.Recalled, output.ReasonErased)
	}
	c.Pending = nil
}
