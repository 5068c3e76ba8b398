package machine

import (
	"slices"

	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/jsonvalue"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
)

// sends decides what is sent: it asks the gates about each delivery of a send, hands it off, defers
// or drops it, and uses up caps and dedupe keys. Chains that stand at a send compete: all that do
// at one instant are in the queue, and the first by the order of arbitration is decided first.
type sends struct {
	*turn

	zones       *zones
	experiments *experiments

	// queue has the chains that stand at a send; it is empty between inputs.
	queue []pendingSend
	// asking is the current question; one is enough, since deliveries are decided one after
	// another.
	asking sendQuestion
}

// begin empties the queue for the next input.
func (sd *sends) begin() { sd.queue = sd.queue[:0] }

// maxAttempts bounds the attempts of one delivery. retryAfter has the pause (ms) before each, indexed by
// the number of attempts so far: those that Standard Webhooks recommends, cut at the delivery's expiry.
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

// send decides the deliveries of the send at which a chain stands, channel by channel in the order
// written: each is handed off, deferred or dropped. As long as one is deferred the chain rests at
// the step, until the earliest instant at which a channel may be free; then only the deferred
// channels are asked again.
func (sd *sends) send(t *pendingSend) sendResult {
	p, ch := t.program, t.chain
	id := p.Steps[t.step].ID
	s, ok := p.Steps[t.step].Verb.(*program.Send)
	if !ok {
		panic("BUG: a chain stands at a step that sends nothing")
	}
	// Captured once: all channels send the same values.
	msg := sd.message(p, id, s, ch)
	chain := ch.ID(sd.c)
	held, drops := &customer.Held{Planned: t.planned, Sent: ch.Held != nil && ch.Held.Sent}, new(dropped)
	for _, channel := range undecided(ch, s) {
		d := output.Delivery{
			ID: output.DeliveryID(chain, id, channel, ch.BackJumps), Workspace: sd.c.Workspace, Campaign: ch.Campaign,
			Version: ch.Version, Customer: sd.c.ID, Key: ch.Key, Entry: ch.Entry, Step: id, Channel: channel,
			Variant:   ch.Variant(),
			TriggerID: sd.triggerID(), At: sd.now, Due: t.planned, Expires: sd.now + s.Expires, Attempt: 1,
			Values: msg.values,
		}
		switch r := sd.checkSend(t, s, channel, msg); {
		case r.reason == output.NoReason:
			sd.reserve(t, s, &d, msg)
			sd.handOff(&d, t)
			held.Sent = true
		// Deferred: the earliest instant of all channels is that of the chain's timer.
		case r.until != 0:
			r.until = max(r.until, sd.now+1) // time goes on, whatever a rule says
			sd.deferSend(d, ch, r)
			held.Open = append(held.Open, channel)
			if held.Until == 0 || r.until < held.Until {
				held.Until, held.Reason = r.until, r.reason
			}
		// Refused for good; on_cap: exit ends the chain without asking the other channels.
		default:
			sd.drop(d, ch, r.reason, r.detail)
			if r.exit {
				return sendResult{exit: r}
			}
			drops.add(r)
		}
	}
	// What is decided stays decided; only the open channels are asked again.
	if len(held.Open) > 0 {
		ch.Held, ch.Due = held, held.Until
		return sendResult{}
	}
	return sd.afterSend(t, s, drops, held.Sent)
}

// maxRecipient bounds the recipient that a send's "to" gives, in bytes; a longer one is cut.
const maxRecipient = 1000

// handOff hands a delivery off: it is written, and pending until its result comes. That of a held-out
// chain is written as a ghost and goes nowhere, so control group and others can be compared.
func (sd *sends) handOff(d *output.Delivery, t *pendingSend) {
	kind := output.Sent
	d.Status = output.HandedOff
	if t.chain.HeldOut {
		kind, d.Status = output.Ghosted, output.StatusGhost
	} else {
		sd.c.Pending = append(sd.c.Pending, customer.Pending{Delivery: *d})
	}
	sd.out.delivery(*d)
	sd.out.decideChain(t.chain, kind, output.NoReason, d.Step, d.Channel)
	t.chain.LastSend, t.chain.LastStep = sd.now, d.Step
	t.sent = true
	sd.experiments.updateMaturity(t.chain)
}

// triggerID returns the id of the trigger event of the scope's chain, empty when it has none.
func (sd *sends) triggerID() string {
	if t := sd.scope.Trigger.Event; t != nil {
		return t.ID
	}
	return ""
}

// drop writes that a delivery is dropped, and why.
func (sd *sends) drop(d output.Delivery, ch *customer.Chain, reason output.Reason, detail string) {
	d.Status, d.Reason, d.Detail, d.Values = output.StatusDropped, reason, detail, nil
	sd.out.delivery(d)
	sd.out.decideChain(ch, output.Dropped, reason, d.Step, detail)
}

// appendJSONTexts appends a JSON list of texts.
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

// member returns the JSON text at a dotted path of an object; nil when it leads nowhere or to null.
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

// undecided returns the channels of a send that are still to be decided: all, or of a held send those
// that were deferred. A channel that a new version took away is left out.
func undecided(ch *customer.Chain, s *program.Send) []string {
	if ch.Held == nil {
		return s.Channels
	}
	var open []string
	for _, channel := range s.Channels {
		if slices.Contains(ch.Held.Open, channel) {
			open = append(open, channel)
		}
	}
	return open
}

// dropped is the first refusal that dropped a channel of a send.
type dropped struct {
	refusal

	any    bool // a channel was dropped
	failed bool // the message could not be made of the values
}

// add notes a refusal; the first is kept.
func (d *dropped) add(r refusal) {
	if !d.any {
		d.any, d.refusal = true, r
	}
	d.failed = d.failed || r.reason == output.ReasonVariable
}

// deferSend writes that a delivery waits: its row when it is first deferred, and a decision each
// time that it waits for something else. Asking again without a change writes nothing.
func (sd *sends) deferSend(d output.Delivery, ch *customer.Chain, r refusal) {
	first := ch.Held == nil
	if first {
		d.Status, d.Reason, d.Values = output.StatusDefer, r.reason, nil
		sd.out.delivery(d)
	}
	if first || ch.Held.Reason != r.reason || ch.Held.Until != r.until {
		sd.out.decideChain(ch, output.Deferred, r.reason, d.Step, r.detail)
	}
}

// afterSend returns what becomes of a chain whose send is decided on all channels. sent says that one of
// them handed its delivery off, now or before a hold. A message that cannot be made counts as a
// failure (on_fail), all other drops as on_drop, which applies only if nothing was sent.
func (sd *sends) afterSend(t *pendingSend, s *program.Send, d *dropped, sent bool) sendResult {
	next := t.program.After(t.step)
	switch {
	case d.failed && s.OnFail != "":
		next = s.OnFail
	// At least one channel sent, or none refused: the chain goes on.
	case sent || !d.any:
	case s.OnDrop.Exit:
		return sendResult{exit: d.refusal}
	case s.OnDrop.Goto != "":
		next = s.OnDrop.Goto
		if sd.trace != nil {
			sd.trace.Note(trace.Row(t.program, t.chain, trace.RuleDrop, trace.Note, trace.TextFact("then", next)))
		}
	}
	return sendResult{goesOn: true, next: next}
}
