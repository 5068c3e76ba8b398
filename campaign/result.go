package campaign

import (
	"cmp"
	"fmt"

	"github.com/nudge-engine/nudge/internal/wire"
)

// Verdict is how an attempt at a delivery ended.
type Verdict uint8

// The verdicts. Their numbers are part of the stored format.
const (
	Accepted  Verdict = iota + 1 // the channel took it
	Temporary                    // it failed and may work later
	Permanent                    // it failed for good
)

// Result is the outcome of one attempt, as dispatch returns it through the log.
type Result struct {
	Workspace string
	Customer  string
	Delivery  ID
	Attempt   uint32
	Verdict   Verdict
	Detail    string // what the channel said, at most 200 bytes
	Reply     string // of a call: a JSON object of at most 4 KiB, empty when there is none
	Reason    Reason // of a Permanent that is not the channel's; empty: ReasonPermanent
}

// AppendTo appends the stored form of r.
func (r *Result) AppendTo(b []byte) []byte {
	b = wire.AppendString(b, r.Workspace)
	b = wire.AppendString(b, r.Customer)
	b = wire.AppendBytes(b, r.Delivery[:])
	b = wire.AppendUint(b, uint64(r.Attempt))
	b = append(b, byte(r.Verdict))
	b = wire.AppendString(b, clip(r.Detail, 200))
	if len(r.Reply) > 0 || r.Reason != NoReason {
		b = wire.AppendString(b, r.Reply)
	}
	if r.Reason != NoReason {
		b = wire.AppendString(b, string(r.Reason))
	}
	return b
}

// DecodeResult reads what AppendTo wrote.
func DecodeResult(p []byte) (Result, error) {
	d := wire.NewDecoder(p)
	r := Result{Workspace: d.String(), Customer: d.String()}
	id := d.Bytes()
	copy(r.Delivery[:], id)
	r.Attempt = uint32(d.Uint())
	r.Verdict = Verdict(d.Byte())
	r.Detail = d.String()
	if d.Err() == nil && d.Len() > 0 {
		r.Reply = d.String()
	}
	if d.Err() == nil && d.Len() > 0 {
		r.Reason = Reason(d.String())
	}
	if err := d.Done(); err != nil {
		return Result{}, fmt.Errorf("campaign: result: %w", err)
	}
	if len(id) != len(r.Delivery) || len(r.Reply) > maxReply || r.Verdict < Accepted || r.Verdict > Permanent {
		return Result{}, fmt.Errorf("campaign: result: %w: delivery id of %d bytes, verdict %d",
			wire.ErrCorrupt, len(id), r.Verdict)
	}
	return r, nil
}

// Settle applies the result of an attempt. A result of a delivery that is no
// longer pending changes nothing: it was settled by an earlier one, or recalled or
// expired while the attempt was under way.
func (m *Machine) Settle(c *Customer, r *Result, now int64, out *Output) {
	m.begin(c, now, out)
	if m.trace != nil {
		m.trace.occasion(Occasion{At: now, What: "result"})
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
	case r.Verdict == Accepted:
		m.reply = []byte(r.Reply)
		m.finish(at, StatusSent, Delivered, NoReason, "")
		m.reply = nil
	case r.Attempt != p.Delivery.Attempt || p.RetryAt != 0:
		// an older attempt's answer, delivered again
	case r.Verdict == Permanent:
		m.finish(at, StatusFailed, Failed, cmp.Or(r.Reason, ReasonPermanent), r.Detail)
	case p.Delivery.Attempt >= maxAttempts:
		m.finish(at, StatusFailed, Failed, ReasonAttempts, r.Detail)
	default:
		p.RetryAt = min(now+retryAfter[p.Delivery.Attempt], p.Delivery.Expires)
		d := p.Delivery
		d.Detail = r.Detail
		m.settle(d, StatusRetry, Retried, ReasonTemporary)
	}
	m.rest()
	m.followProfile(nil)
	m.derive()
}

// firePending emits the next attempt, or gives a delivery up that is too old.
func (m *Machine) firePending(at int) {
	p := &m.c.Pending[at]
	if m.now >= p.Delivery.Expires {
		// What follows was due then, also where a retry comes so late.
		m.planned = p.Delivery.Expires
		m.late = m.now-m.planned > lateAfter
		m.finish(at, StatusExpired, Failed, ReasonExpired, "")
		return
	}
	p.RetryAt = 0
	p.Delivery.Attempt++
	p.Delivery.At = m.now
	m.out.Deliveries = append(m.out.Deliveries, p.Delivery)
}

// finish removes a pending delivery and writes its last state; detail is what the channel said.
func (m *Machine) finish(at int, status Status, kind Kind, reason Reason, detail string) {
	d, retry := m.c.Pending[at].Delivery, m.c.Pending[at].RetryAt
	m.c.Pending = append(m.c.Pending[:at], m.c.Pending[at+1:]...)
	d.Detail = detail
	m.settle(d, status, kind, reason)
	m.answered(&d, status == StatusSent, m.reply)
	if kind != Failed {
		return
	}
	m.failed(&d)
	if status == StatusFailed || retry != 0 { // else an attempt may be out, and arrive
		m.refund(d.ID)
	}
}

// failed moves a live chain to where the send of a delivery that failed for good says, or
// the call for which it did not wait.
// It only goes forward: a chain that is there already, or beyond, stays where it is.
func (m *Machine) failed(d *Delivery) {
	for _, ch := range m.c.Chains {
		if ch.Campaign != d.Campaign || ch.Entry != d.Entry || !ch.live() {
			continue
		}
		p := m.set.of(ch)
		if p == nil {
			return
		}
		step, _ := p.step(d.Step)
		if step == nil {
			return
		}
		onFail := ""
		switch v := step.Verb.(type) {
		case *Send:
			onFail = v.OnFail
		case *Call:
			if !v.Wait {
				onFail = v.OnFail
			}
		default:
		}
		if onFail == "" {
			return
		}
		_, at := p.step(ch.Step)
		if _, target := p.step(onFail); onFail == endStep || target > at {
			m.moveOn(ch, onFail)
		}
	}
}
