package machine

import (
	"fmt"
	"time"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
	"github.com/nudge-engine/nudge/campaign/zone"
)

// message is what a send captured for its deliveries. All channels share it.
type message struct {
	// values is a JSON object from variable to value, see capture; nil when there are none.
	values  []byte
	missing string // name of the first variable without a value; empty when all have one
	key     string // of the campaign's dedupe rule, empty for none
}

// sendQuestion asks whether one delivery of a send may be handed off now, on one channel.
type sendQuestion struct {
	sd       *sends
	t        *pendingSend
	send     *program.Send
	channel  string
	category string
	msg      *message
}

// sendGates are the gates of a delivery, in the order of docs/reference/policies.md.
//
//nudge:constant read only
var sendGates = []gate[sendQuestion]{
	{trace.RuleLate, reasons{output.ReasonLate}, isLate, refusesLate, noteLate},
	{trace.RuleRecheck, reasons{output.ReasonAudience}, rechecks, refusesRecheck, noteRecheck},
	{trace.RuleSends, reasons{output.ReasonOff}, nil, refusesOff, notePlain},
	{trace.RuleDisturb, reasons{output.ReasonDisturb}, nil, refusesDisturbed, noteDisturb},
	{trace.RuleConsent, reasons{output.ReasonNoConsent}, nil, refusesConsent, noteConsent},
	{trace.RulePreference, reasons{output.ReasonPreference}, nil, refusesPreference, notePreference},
	{trace.RuleQuiet, reasons{output.ReasonQuiet}, competes, refusesQuiet, noteQuiet},
	{trace.RuleCap, reasons{output.ReasonCap}, competes, refusesCap, noteCaps},
	{trace.RuleConflict, reasons{output.ReasonConflict}, competes, refusesConflict, noteConflict},
	{trace.RuleDedupe, reasons{output.ReasonDedupe, output.ReasonKeys}, hasKey, refusesKey, noteDedupe},
	{trace.RuleVariables, reasons{output.ReasonVariable}, nil, refusesMissing, noteVariables},
	{trace.RulePending, reasons{output.ReasonPending}, nil, refusesPending, notePending},
}

// checkSend asks the gates whether a delivery of a chain may be handed off on a channel.
func (sd *sends) checkSend(t *pendingSend, s *program.Send, channel string, msg *message) refusal {
	sd.asking = sendQuestion{sd: sd, t: t, send: s, channel: channel, category: t.program.Category(s), msg: msg}
	return ask(sendGates, &sd.asking, sd.trace != nil)
}

// note writes a row about the delivery to the trace.
func (q *sendQuestion) note(rule trace.Rule, said trace.Answer, about string, facts ...trace.Fact) {
	a := trace.Row(q.t.program, q.t.chain, rule, said, facts...)
	a.Step, a.Channel, a.About = q.t.program.Steps[q.t.step].ID, q.channel, about
	q.sd.trace.Note(a)
}

// notePlain notes the answer of a gate that compares no values.
func notePlain(q *sendQuestion, rule trace.Rule, r refusal) { q.note(rule, r.answer(), "") }

// competes reports whether quiet hours, caps and conflicts concern a delivery: transactional
// ones ignore them.
func competes(q *sendQuestion) bool { return !q.t.exempt }

// isLate reports whether the chain came to the send by a timer that fired more than lateAfter late.
func isLate(q *sendQuestion) bool { return q.sd.late }

// refusesLate drops a late delivery, if the campaign says "late: skip".
func refusesLate(q *sendQuestion) refusal {
	return refuseIf(q.t.program.Late == program.LateSkip, output.ReasonLate, "")
}

// noteLate writes into the trace when the send was due, and the present time.
func noteLate(q *sendQuestion, rule trace.Rule, r refusal) {
	q.note(rule, r.answer(), "", trace.TimeFact("due", q.t.planned), trace.TimeFact("now", q.sd.now))
}

// rechecks reports whether the campaign asks its audience again before each send.
func rechecks(q *sendQuestion) bool { return q.t.program.Recheck }

// refusesRecheck refuses a delivery to a customer who has left the audience since the entry.
func refusesRecheck(q *sendQuestion) refusal {
	return refuseIf(!q.sd.stillInAudience(q.t.program), output.ReasonAudience, "")
}

// noteRecheck notes the audience and what it reads, in the light of the trigger event.
func noteRecheck(q *sendQuestion, rule trace.Rule, r refusal) {
	m, p := q.sd, q.t.program
	current := m.scope.Event.Event
	m.scope.Event.Set(m.scope.Trigger.Event)
	a := m.exprFacts(trace.Row(p, q.t.chain, rule, r.answer()), p.Audience)
	m.scope.Event.Set(current)
	a.Step, a.Channel = p.Steps[q.t.step].ID, q.channel
	m.trace.Note(a)
}

// stillInAudience asks the audience again. There is no current event: "event" is the trigger event.
func (sd *sends) stillInAudience(p *program.Program) bool {
	current := sd.scope.Event.Event
	sd.scope.Event.Set(sd.scope.Trigger.Event)
	holds := sd.holds(p.Audience, p.Name)
	sd.scope.Event.Set(current)
	return holds
}

// refusesOff refuses while sends of the workspace, the campaign or the channel are switched off.
func refusesOff(q *sendQuestion) refusal {
	return refuseIf(q.sd.set.SendsOff(q.t.program.Name, q.channel), output.ReasonOff, "")
}

// refusesMissing refuses a message that lacks the value of a variable.
func refusesMissing(q *sendQuestion) refusal {
	return refuseIf(q.msg.missing != "", output.ReasonVariable, q.msg.missing)
}

// noteVariables notes the values that the message names.
func noteVariables(q *sendQuestion, rule trace.Rule, r refusal) {
	facts := q.sd.variableFacts(q.t.program, q.t.program.Steps[q.t.step].ID, q.t.chain)
	if len(facts) > 0 || r.reason != output.NoReason {
		q.note(rule, r.answer(), r.detail, facts...)
	}
}

// refusesPending refuses a delivery while too many of the customer's have no result yet.
func refusesPending(q *sendQuestion) refusal {
	return refuseIf(!q.t.chain.HeldOut && len(q.sd.c.Pending) >= customer.MaxPending, output.ReasonPending, "")
}

// notePending writes into the trace how many deliveries have no result yet, where that refuses
// another.
func notePending(q *sendQuestion, rule trace.Rule, r refusal) {
	if r.reason != output.NoReason {
		q.note(
			rule,
			trace.No,
			"",
			trace.NumberFact("pending", len(q.sd.c.Pending)),
			trace.NumberFact("at most", customer.MaxPending),
		)
	}
}

// reserve uses up what a delivery needs: its place under the caps and its dedupe key. A held-out chain
// uses up nothing, or it would keep other campaigns from sending. Caps do not count transactional sends,
// but those take their dedupe key.
func (sd *sends) reserve(t *pendingSend, s *program.Send, d *output.Delivery, msg *message) {
	if t.chain.HeldOut {
		return
	}
	if !t.exempt {
		sd.consume(t.program, d, t.program.Category(s))
	}
	if msg.key != "" {
		sd.takeKey(msg.key, t.program, t.chain)
	}
}

// refusesQuiet refuses a delivery in quiet hours: it is deferred to their end, or dropped.
func refusesQuiet(q *sendQuestion) refusal {
	inside, end, drop := q.sd.quiet(q.t.program)
	r := refuseIf(inside, output.ReasonQuiet, "")
	if inside && !drop {
		r.until = end
	}
	return r
}

// noteQuiet notes the local time and the quiet hours, if the campaign has some.
func noteQuiet(q *sendQuestion, rule trace.Rule, r refusal) {
	m := q.sd
	hours, loc := m.quietRule(q.t.program)
	if hours == nil {
		return
	}
	facts := []trace.Fact{
		trace.TextFact("local time", time.UnixMilli(m.now).In(loc).Format("2006-01-02 15:04:05")),
		trace.TextFact(
			"zone",
			loc.String(),
		),
		trace.TextFact("from", clock(hours.From)),
		trace.TextFact("to", clock(hours.To)),
	}
	if inside, end, drop := m.quiet(q.t.program); inside {
		facts = append(facts, trace.TimeFact("until", end), trace.TruthFact("drop", drop))
	}
	q.note(rule, r.answer(), "", facts...)
}

// quiet reports whether it is quiet for the customer now, until when (ms), and whether that drops
// what would be sent. It looks at the present instant, not at when the send was due.
func (sd *sends) quiet(p *program.Program) (inside bool, end int64, drop bool) {
	q, loc := sd.quietRule(p)
	if q == nil {
		return false, 0, false
	}
	inside, end = zone.Within(loc, sd.now, q.From, q.To)
	return inside, end, q.Drop
}

// quietRule returns the quiet hours of a campaign, else of the workspace, and the zone whose clock they
// go by; nil when there are none. A fixed zone that cannot be loaded counts as none given.
func (sd *sends) quietRule(p *program.Program) (*program.QuietHours, *time.Location) {
	q := p.Policy.Quiet
	if q == nil {
		q = sd.set.Rules.Quiet
	}
	if q == nil {
		return nil, nil
	}
	if q.Zone != "" {
		if fixed := sd.zones.loadZone(q.Zone); fixed != nil {
			return q, fixed
		}
	}
	return q, sd.zones.zone(p)
}

// clock formats a minute of the day as 15:04.
func clock(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60, minute%60) }

// consented reports whether the customer agrees to a category: where nothing is known they do, unless
// the workspace requires that it was granted.
func (sd *sends) consented(category string) bool {
	x := sd.c.Consent(customer.AboutCategory, category)
	if x == nil {
		return !sd.set.Rules.Required[category]
	}
	return x.Granted
}
