package campaign

import (
	"sort"
	"strings"

	"github.com/valyala/fastjson"
)

// Attempts of one delivery and the pauses between them, in ms. The pauses are
// those of the Standard Webhooks recommendation up to the delivery's expiry.
const maxAttempts = 6

//nudge:constant read only
var retryAfter = [maxAttempts]int64{0, 5_000, 5 * 60_000, 30 * 60_000, 2 * 3_600_000, 5 * 3_600_000}

// send decides a delivery on each channel of the step; it says whether one was
// handed off.
func (m *Machine) send(p *Program, step string, s *Send, ch *Chain) (handedOff bool) {
	planned := m.planned
	if planned == 0 {
		planned = m.now
	}
	values, missing := m.capture(p, p.needs[step], ch)
	outside := p.Recheck && !m.stillInAudience(p)
	chain := ChainID(m.c.Workspace, ch.Campaign, m.c.ID, ch.Key, ch.Entry)
	for _, channel := range s.Channels {
		d := Delivery{
			ID: DeliveryID(chain, step, channel, ch.leaps), Workspace: m.c.Workspace, Campaign: ch.Campaign,
			Version: ch.Version, Customer: m.c.ID, Key: ch.Key, Entry: ch.Entry, Step: step, Channel: channel,
			Variant:   ch.variant(),
			TriggerID: m.triggerID(), At: m.now, Due: planned, Expires: m.now + s.Expires, Attempt: 1, Values: values,
		}
		switch {
		case m.late && p.Late == LateSkip:
			m.drop(d, ch, ReasonLate, "")
		case outside:
			m.drop(d, ch, ReasonAudience, "")
		case len(m.c.Pending) >= maxPending:
			m.drop(d, ch, ReasonPending, "")
		case missing != "":
			m.drop(d, ch, ReasonVariable, missing)
		default:
			d.Status = HandedOff
			m.out.Deliveries = append(m.out.Deliveries, d)
			m.c.Pending = append(m.c.Pending, Pending{Delivery: d})
			m.decideChain(ch, Sent, NoReason, step, channel)
			ch.LastSend, ch.LastStep = m.now, step
			handedOff = true
		}
	}
	return handedOff
}

func (m *Machine) triggerID() string {
	if t := m.scope.trigger.e; t != nil {
		return t.ID
	}
	return ""
}

func (m *Machine) drop(d Delivery, ch *Chain, reason Reason, detail string) {
	d.Status, d.Reason, d.Values = StatusDropped, reason, nil
	m.out.Deliveries = append(m.out.Deliveries, d)
	m.decideChain(ch, Dropped, reason, d.Step, detail)
}

// capture takes the values that a message names: a JSON object from path to
// value. missing names the first value that is not there and has no fallback.
func (m *Machine) capture(p *Program, needs []Variable, ch *Chain) (values []byte, missing string) {
	if len(needs) == 0 {
		return nil, ""
	}
	sorted := append([]Variable(nil), needs...)
	sort.Slice(sorted, func(i, j int) bool { return sorted[i].Path < sorted[j].Path })
	values = []byte{'{'}
	for _, v := range sorted {
		text := m.lookup(p, v.Path, ch)
		if text == nil {
			if !v.Optional {
				return nil, v.Path
			}
			continue
		}
		if len(values) > 1 {
			values = append(values, ',')
		}
		values = append(append(appendJSONString(values, v.Path), ':'), text...)
	}
	return append(values, '}'), ""
}

// lookup is the JSON text of a variable, nil when it is missing.
func (m *Machine) lookup(p *Program, path string, ch *Chain) []byte {
	root, rest, _ := strings.Cut(path, ".")
	name, inner, _ := strings.Cut(rest, ".")
	switch root {
	case "customer":
		switch name {
		case "id":
			return appendJSONString(nil, m.c.ID)
		case "traits":
			return member(m.scope.customer.traits.object(), inner)
		case "timezone":
			return member(m.scope.customer.traits.object(), "timezone")
		}
	case "trigger":
		return m.lookupTrigger(name, inner)
	case "chain":
		if name == "key" {
			return appendJSONString(nil, ch.Key)
		}
	case "campaign":
		if name == "name" {
			return appendJSONString(nil, p.Name)
		}
	}
	return nil
}

func (m *Machine) lookupTrigger(name, inner string) []byte {
	view := &m.scope.trigger
	if view.e == nil {
		return nil
	}
	switch name {
	case "id":
		return appendJSONString(nil, view.e.ID)
	case "name":
		return appendJSONString(nil, view.e.Name)
	case "properties":
		return member(view.props.object(), inner)
	case "context":
		return member(view.context.object(), inner)
	}
	return nil
}

// member follows a dotted path into an object; nil when it leads nowhere or to null.
func member(o *fastjson.Object, path string) []byte {
	for {
		key, rest, more := strings.Cut(path, ".")
		if o == nil || key == "" {
			return nil
		}
		v := o.Get(key)
		if v == nil || v.Type() == fastjson.TypeNull {
			return nil
		}
		if !more {
			return appendCanonical(nil, v)
		}
		inner, err := v.Object()
		if err != nil {
			return nil
		}
		o, path = inner, rest
	}
}

// recall takes back what a stopped chain handed off and no channel has taken.
func (m *Machine) recall(ch *Chain) {
	kept := m.c.Pending[:0]
	for _, p := range m.c.Pending {
		if p.Delivery.Campaign != ch.Campaign || p.Delivery.Entry != ch.Entry {
			kept = append(kept, p)
			continue
		}
		m.settle(p.Delivery, StatusRecall, Recalled, ReasonChainEnd)
	}
	clear(m.c.Pending[len(kept):])
	m.c.Pending = kept
}

// settle writes a later state of a delivery.
func (m *Machine) settle(d Delivery, status Status, kind Kind, reason Reason) {
	d.Status, d.Reason, d.At, d.Values = status, reason, m.now, nil
	m.out.Deliveries = append(m.out.Deliveries, d)
	m.decide(Decision{
		Campaign: d.Campaign, Version: d.Version, Key: d.Key, Entry: d.Entry, Step: d.Step,
		Kind: kind, Reason: reason, Detail: d.Channel,
	})
}
