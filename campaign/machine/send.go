package machine

import (
	"slices"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/jsonvalue"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/internal/clip"
)

// Attempts of one delivery and the pauses between them, in ms. The pauses are
// those of the Standard Webhooks recommendation up to the delivery's expiry.
const maxAttempts = 6

//nudge:constant read only
var retryAfter = [maxAttempts]int64{0, 5_000, 5 * 60_000, 30 * 60_000, 2 * 3_600_000, 5 * 3_600_000}

// sendResult is what becomes of a chain whose send was decided: it goes on at next, ends because of
// a refusal, or rests at the send where it does neither.
type sendResult struct {
	goesOn bool
	next   string
	exit   refusal
}

// send decides the deliveries of the send at which a chain stands.
func (m *Machine) send(t *pendingSend) sendResult {
	p, ch := t.program, t.chain
	id := p.Steps[t.step].ID
	s, ok := p.Steps[t.step].Verb.(*program.Send)
	if !ok {
		panic("BUG: a chain stands at a step that sends nothing")
	}
	msg := m.message(p, id, s, ch)
	chain := ch.ID(m.c)
	held, drops := &customer.Held{Planned: t.planned, Sent: ch.Held != nil && ch.Held.Sent}, new(dropped)
	for _, channel := range undecided(ch, s) {
		d := output.Delivery{
			ID: output.DeliveryID(chain, id, channel, ch.BackJumps), Workspace: m.c.Workspace, Campaign: ch.Campaign,
			Version: ch.Version, Customer: m.c.ID, Key: ch.Key, Entry: ch.Entry, Step: id, Channel: channel,
			Variant:   ch.Variant(),
			TriggerID: m.triggerID(), At: m.now, Due: t.planned, Expires: m.now + s.Expires, Attempt: 1,
			Values: msg.values,
		}
		switch r := m.checkSend(t, s, channel, msg); {
		case r.reason == output.NoReason:
			m.reserve(t, s, &d, msg)
			m.handOff(&d, t)
			held.Sent = true
		case r.until != 0:
			r.until = max(r.until, m.now+1) // time goes on, whatever a rule says
			m.deferSend(d, ch, r)
			held.Open = append(held.Open, channel)
			if held.Until == 0 || r.until < held.Until {
				held.Until, held.Reason = r.until, r.reason
			}
		default:
			m.drop(d, ch, r.reason, r.detail)
			if r.exit {
				return sendResult{exit: r}
			}
			drops.add(r)
		}
	}
	if len(held.Open) > 0 {
		ch.Held, ch.Due = held, held.Until
		return sendResult{}
	}
	return m.afterSend(t, s, drops, held.Sent)
}

// message captures what the deliveries of a send say and to whom.
func (m *Machine) message(p *program.Program, step string, s *program.Send, ch *customer.Chain) *message {
	msg := &message{key: m.dedupeKey(p)}
	msg.values, msg.missing = m.capture(p, p.Needs[step], ch)
	if s.To == nil || msg.missing != "" {
		return msg
	}
	to, _ := m.identifier(s.To)
	if to == "" {
		msg.missing = "to"
		return msg
	}
	named := jsonvalue.AppendString([]byte(`{"to":`), clip.Text(to, maxRecipient))
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
func (m *Machine) handOff(d *output.Delivery, t *pendingSend) {
	kind := output.Sent
	d.Status = output.HandedOff
	if t.chain.HeldOut {
		kind, d.Status = output.Ghosted, output.StatusGhost
	} else {
		m.c.Pending = append(m.c.Pending, customer.Pending{Delivery: *d})
	}
	m.out.Deliveries = append(m.out.Deliveries, *d)
	m.decideChain(t.chain, kind, output.NoReason, d.Step, d.Channel)
	t.chain.LastSend, t.chain.LastStep = m.now, d.Step
	t.sent = true
	m.updateMaturity(t.chain)
}

func (m *Machine) triggerID() string {
	if t := m.scope.Trigger.Event; t != nil {
		return t.ID
	}
	return ""
}

func (m *Machine) drop(d output.Delivery, ch *customer.Chain, reason output.Reason, detail string) {
	d.Status, d.Reason, d.Detail, d.Values = output.StatusDropped, reason, detail, nil
	m.out.Deliveries = append(m.out.Deliveries, d)
	m.decideChain(ch, output.Dropped, reason, d.Step, detail)
}

// capture takes the values that a message names: a JSON object from path to
// value. missing names the first value that is not there and has no fallback.
func (m *Machine) capture(
	p *program.Program,
	needs []program.Variable,
	ch *customer.Chain,
) (values []byte, missing string) {
	if len(needs) == 0 {
		return nil, ""
	}
	sorted, byPath := needs, func(a, b program.Variable) int { return strings.Compare(a.Path, b.Path) }
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
		values = append(append(jsonvalue.AppendString(values, path), ':'), text...)
	}
	return append(values, '}'), ""
}

// isEmpty says whether a template takes the fallback of a variable: it is missing, false or
// empty.
func (m *Machine) isEmpty(p *program.Program, path string, ch *customer.Chain) bool {
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
func (m *Machine) listOf(p *program.Program, path string, ch *customer.Chain) (at string, text []byte) {
	parts := jsonvalue.SplitPath(path)
	for i := 2; i < len(parts); i++ {
		if parts[i] != "size" && parts[i] != "first" && parts[i] != "last" {
			continue
		}
		at = jsonvalue.JoinPath(parts[:i]...)
		if text = m.lookup(p, at, ch); len(text) > 0 && (text[0] == '[' || text[0] == '"' && parts[i] == "size") {
			return at, text
		}
	}
	return "", nil
}

// lookup is the JSON text of a variable, nil when it is missing.
func (m *Machine) lookup(p *program.Program, path string, ch *customer.Chain) []byte {
	root, rest, _ := strings.Cut(path, ".")
	name, inner, _ := strings.Cut(rest, ".")
	switch root {
	case "customer":
		switch name {
		case "id":
			return jsonvalue.AppendString(nil, m.c.ID)
		case "traits":
			return member(m.scope.Customer.Traits.Object(), inner)
		case "timezone":
			if zone := m.scope.Customer.Zone(); zone != "" {
				return jsonvalue.AppendString(nil, zone)
			}
			return nil
		case "created_at":
			return jsonvalue.AppendString(nil, unit.FormatTime(m.c.CreatedAt))
		case "tags":
			return appendJSONTexts(nil, m.c.Tags)
		}
	case "trigger":
		return m.lookupTrigger(name, inner)
	case "chain":
		return ch.Lookup(name, inner)
	case "campaign":
		if name == "name" {
			return jsonvalue.AppendString(nil, p.Name)
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
		b = jsonvalue.AppendString(b, text)
	}
	return append(b, ']')
}

func (m *Machine) lookupTrigger(name, inner string) []byte {
	view := &m.scope.Trigger
	if view.Event == nil {
		return nil
	}
	switch name {
	case "id":
		return jsonvalue.AppendString(nil, view.Event.ID)
	case "name":
		return jsonvalue.AppendString(nil, view.Event.Name)
	case "time":
		return jsonvalue.AppendString(nil, unit.FormatTime(view.Event.Time))
	case "properties":
		return member(view.Props.Object(), inner)
	case "context":
		return member(view.Context.Object(), inner)
	}
	return nil
}

// member follows a dotted path into an object; nil when it leads nowhere or to null.
func member(o *fastjson.Object, path string) []byte {
	for {
		key, rest, more := jsonvalue.CutPath(path)
		if o == nil || key == "" {
			return nil
		}
		v := o.Get(key)
		if v == nil || v.Type() == fastjson.TypeNull {
			return nil
		}
		if !more {
			return jsonvalue.AppendCanonical(nil, v)
		}
		inner, err := v.Object()
		if err != nil {
			return nil
		}
		o, path = inner, rest
	}
}
