package campaign

import (
	"net/url"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/nudge-engine/nudge/internal/wire"
)

// CallChannel is the channel of the deliveries that call steps make; no campaign sends
// on it and no document defines it.
const CallChannel = "call"

// maxReply bounds what is kept of a call's reply, bytes.
const maxReply = 4 << 10

// Call makes an HTTP request. Its texts are those of a message: method, url, body and one
// header.NAME for each header; they are Liquid, and rendered when the request is made.
type Call struct {
	Request Send
	Wait    bool   // the chain rests until the request has succeeded or failed for good
	Timeout int64  // ms that it rests at most
	OnFail  string // where it goes then; empty: the next step
}

func (*Call) verb() string { return "call" }

func (c *Call) targets(next string) []string {
	if c.OnFail == "" {
		return []string{next}
	}
	return []string{next, c.OnFail}
}

// lasts is how long a call may be tried, ms: not longer than the chain waits for it.
func (c *Call) lasts() int64 {
	if c.Wait {
		return min(c.Request.Expires, c.Timeout)
	}
	return c.Request.Expires
}

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
		ID: ch.callID(m.c, s.ID), Workspace: m.c.Workspace, Campaign: ch.Campaign, Version: ch.Version,
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

func (ch *Chain) callID(c *Customer, step string) ID {
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
		if p == nil || ch.callID(m.c, ch.Step) != d.ID {
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

// call reads {url, method, headers, body, expires, wait, timeout, on_fail}.
func (r *reader) call(n *yaml.Node) *Call {
	r.unsupported = append(r.unsupported, &Error{File: r.file, Line: n.Line, Column: n.Column, Message: "call is not " +
		"supported yet: there is no transport for it, and it would fail for every customer; " +
		"write send with a channel of type webhook to reach a URL"})
	c := &Call{Request: Send{Channels: []string{CallChannel}, Expires: dayMillis}, Timeout: dayMillis}
	method, address, body := "POST", "", ""
	var headers []Field
	r.object(n, "call",
		field{name: "url", required: true, read: func(n *yaml.Node) {
			r.text(n, "call.url", &address)
			r.spot(Spot{Field: "text", Name: "url"}, n)
			fixed, _, liquid := strings.Cut(address, "{{")
			at, err := url.Parse(fixed)
			if err != nil || at.Scheme != "http" && at.Scheme != "https" || at.Host == "" && !liquid {
				r.fail(n, "call.url %q: write http:// or https://, a host and a path", clip(address, 64))
			}
		}},
		field{name: "method", read: func(n *yaml.Node) {
			methods := []string{"POST", "GET", "PUT", "PATCH", "DELETE"}
			method = methods[r.choice(n, "call.method", methods...)]
		}},
		field{name: "headers", read: func(n *yaml.Node) { r.messageFields(n, "call.headers", &headers) }},
		field{name: "body", read: func(n *yaml.Node) {
			r.text(n, "call.body", &body)
			r.spot(Spot{Field: "text", Name: "body"}, n)
		}},
		field{name: "expires", read: func(n *yaml.Node) { r.duration(n, "call.expires", &c.Request.Expires) }},
		field{name: "wait", read: func(n *yaml.Node) { r.boolean(n, "call.wait", &c.Wait) }},
		field{name: "timeout", read: func(n *yaml.Node) { r.duration(n, "call.timeout", &c.Timeout) }},
		field{name: "on_fail", read: func(n *yaml.Node) { c.OnFail = r.gotoObject(n, "call.on_fail") }})
	fields := []Field{{"method", method}, {"url", address}}
	for _, h := range headers {
		fields = append(fields, Field{"header." + h.Name, h.Source})
	}
	if body != "" {
		fields = append(fields, Field{"body", body})
	}
	c.Request.Message.Fields = fields
	return c
}

// replySection keeps the reply of the last call that a chain waited for.
//
//nudge:constant read only
var replySection = section[*Chain]{
	tag:    35,
	has:    func(ch *Chain) bool { return len(ch.reply) > 0 },
	append: func(ch *Chain, b []byte) []byte { return wire.AppendBytes(b, ch.reply) },
	decode: func(ch *Chain, d *wire.Decoder, _ Names) { ch.reply = d.Bytes() },
}
