package campaign

import (
	"slices"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/internal/clip"
)

// Attempts of one delivery and the pauses between them, in ms. The pauses are
// those of the Standard Webhooks recommendation up to the delivery's expiry.
const maxAttempts = 6

//nudge:constant read only
var retryAfter = [maxAttempts]int64{0, 5_000, 5 * 60_000, 30 * 60_000, 2 * 3_600_000, 5 * 3_600_000}

// send decides the deliveries of the send at which a chain stands. It says where the
// chain goes on; it does not when it rests there, or ended.
func (m *Machine) send(t *turn) (next string, goesOn bool) {
	p, ch := t.program, t.chain
	id := p.Steps[t.step].ID
	s, ok := p.Steps[t.step].Verb.(*Send)
	if !ok {
		panic("BUG: a chain stands at a step that sends nothing")
	}
	msg := m.message(p, id, s, ch)
	chain := ch.id(m.c)
	held, drops := &Held{Planned: t.planned, Sent: ch.Held != nil && ch.Held.Sent}, new(dropped)
	for _, channel := range undecided(ch, s) {
		d := Delivery{
			ID: DeliveryID(chain, id, channel, ch.leaps), Workspace: m.c.Workspace, Campaign: ch.Campaign,
			Version: ch.Version, Customer: m.c.ID, Key: ch.Key, Entry: ch.Entry, Step: id, Channel: channel,
			Variant:   ch.variant(),
			TriggerID: m.triggerID(), At: m.now, Due: t.planned, Expires: m.now + s.Expires, Attempt: 1,
			Values: msg.values,
		}
		switch r := m.ask(t, s, channel, msg); {
		case r.reason == NoReason:
			m.take(t, s, &d, msg)
			m.handOff(&d, t)
			held.Sent = true
		case r.until != 0:
			r.until = max(r.until, m.now+1) // time goes on, whatever a rule says
			m.putOff(d, ch, r)
			held.Open = append(held.Open, channel)
			if held.Until == 0 || r.until < held.Until {
				held.Until, held.Reason = r.until, r.reason
			}
		default:
			m.drop(d, ch, r.reason, r.detail)
			if r.exit {
				m.end(ch, Exited, r.reason, r.detail)
				return "", false
			}
			drops.add(r)
		}
	}
	if len(held.Open) > 0 {
		ch.Held, ch.Due = held, held.Until
		if m.trace != nil {
			m.traceRest(p, ch)
		}
		return "", false
	}
	return m.afterSend(t, s, drops, held.Sent)
}

// message captures what the deliveries of a send say and to whom.
func (m *Machine) message(p *Program, step string, s *Send, ch *Chain) *message {
	msg := &message{key: m.dedupeKey(p)}
	msg.values, msg.missing = m.capture(p, p.needs[step], ch)
	if s.To == nil || msg.missing != "" {
		return msg
	}
	to, _ := m.identifier(s.To)
	if to == "" {
		msg.missing = "to"
		return msg
	}
	named := AppendJSONString([]byte(`{"to":`), clip.Text(to, maxRecipient))
	if len(msg.values) > len("{}") {
		named = append(append(named, ','), msg.values[1:]...)
	} else {
		named = append(named, '}')
	}
	msg.values = named
	return msg
}

// maxRecipient bounds what a send's "to" gives, in bytes.
const maxRecipient = 1000

// handOff lets a delivery go; that of a held-out chain goes nowhere.
func (m *Machine) handOff(d *Delivery, t *turn) {
	kind := Sent
	d.Status = HandedOff
	if t.chain.HeldOut {
		kind, d.Status = Ghosted, StatusGhost
	} else {
		m.c.Pending = append(m.c.Pending, Pending{Delivery: *d})
	}
	m.out.Deliveries = append(m.out.Deliveries, *d)
	m.decideChain(t.chain, kind, NoReason, d.Step, d.Channel)
	t.chain.LastSend, t.chain.LastStep = m.now, d.Step
	t.sent = true
	m.rematures(t.chain)
}

func (m *Machine) triggerID() string {
	if t := m.scope.trigger.e; t != nil {
		return t.ID
	}
	return ""
}

func (m *Machine) drop(d Delivery, ch *Chain, reason Reason, detail string) {
	d.Status, d.Reason, d.Detail, d.Values = StatusDropped, reason, detail, nil
	m.out.Deliveries = append(m.out.Deliveries, d)
	m.decideChain(ch, Dropped, reason, d.Step, detail)
}

// capture takes the values that a message names: a JSON object from path to
// value. missing names the first value that is not there and has no fallback.
func (m *Machine) capture(p *Program, needs []Variable, ch *Chain) (values []byte, missing string) {
	if len(needs) == 0 {
		return nil, ""
	}
	sorted, byPath := needs, func(a, b Variable) int { return strings.Compare(a.Path, b.Path) }
	if !slices.IsSortedFunc(needs, byPath) {
		sorted = slices.Clone(needs)
		slices.SortFunc(sorted, byPath)
	}
	values = []byte{'{'}
	seen := ""
	for _, v := range sorted {
		path, text := v.Path, m.lookup(p, v.Path, ch)
		if text == nil {
			path, text = m.listOf(p, v.Path, ch)
		}
		switch {
		case text == nil && !v.Optional && (v.Unless == "" || m.isEmpty(p, v.Unless, ch)):
			return nil, v.Path
		case text == nil || path == seen:
			continue
		}
		seen = path
		if len(values) > 1 {
			values = append(values, ',')
		}
		values = append(append(AppendJSONString(values, path), ':'), text...)
	}
	return append(values, '}'), ""
}

// isEmpty says whether a template takes the fallback of a variable: it is missing, false or
// empty.
func (m *Machine) isEmpty(p *Program, path string, ch *Chain) bool {
	text := m.lookup(p, path, ch)
	if text == nil {
		_, text = m.listOf(p, path, ch)
	}
	switch string(text) {
	case "", "false", `""`, "[]", "{}":
		return true
	}
	return false
}

// listOf is the list or text of which a path names the size, the first or the last, as
// templates can: list.size, list.first.name.
func (m *Machine) listOf(p *Program, path string, ch *Chain) (at string, text []byte) {
	parts := SplitPath(path)
	for i := 2; i < len(parts); i++ {
		if parts[i] != "size" && parts[i] != "first" && parts[i] != "last" {
			continue
		}
		at = JoinPath(parts[:i]...)
		if text = m.lookup(p, at, ch); len(text) > 0 && (text[0] == '[' || text[0] == '"' && parts[i] == "size") {
			return at, text
		}
	}
	return "", nil
}

// lookup is the JSON text of a variable, nil when it is missing.
func (m *Machine) lookup(p *Program, path string, ch *Chain) []byte {
	root, rest, _ := strings.Cut(path, ".")
	name, inner, _ := strings.Cut(rest, ".")
	switch root {
	case "customer":
		switch name {
		case "id":
			return AppendJSONString(nil, m.c.ID)
		case "traits":
			return member(m.scope.customer.traits.object(), inner)
		case "timezone":
			if zone := m.scope.customer.zone(); zone != "" {
				return AppendJSONString(nil, zone)
			}
			return nil
		case "created_at":
			return AppendJSONString(nil, FormatTime(m.c.CreatedAt))
		case "tags":
			return appendJSONTexts(nil, m.c.Tags)
		}
	case "trigger":
		return m.lookupTrigger(name, inner)
	case "chain":
		return ch.lookup(name, inner)
	case "campaign":
		if name == "name" {
			return AppendJSONString(nil, p.Name)
		}
	}
	return nil
}

func appendJSONTexts(b []byte, texts []string) []byte {
	b = append(b, '[')
	for i, text := range texts {
		if i > 0 {
			b = append(b, ',')
		}
		b = AppendJSONString(b, text)
	}
	return append(b, ']')
}

func (m *Machine) lookupTrigger(name, inner string) []byte {
	view := &m.scope.trigger
	if view.e == nil {
		return nil
	}
	switch name {
	case "id":
		return AppendJSONString(nil, view.e.ID)
	case "name":
		return AppendJSONString(nil, view.e.Name)
	case "time":
		return AppendJSONString(nil, FormatTime(view.e.Time))
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
		key, rest, more := cutPath(path)
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
