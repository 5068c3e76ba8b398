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

// message is what a send captured for its deliveries.
type message struct {
	values  []byte
	missing string // name of the first variable without a value; empty when all have one
	key     string // of the campaign's dedupe rule, empty for none
}

// sendQuestion asks whether one delivery of a send may be handed off now.
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

// checkSend asks whether a delivery of a chain may be handed off on a channel.
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

func notePlain(q *sendQuestion, rule trace.Rule, r refusal) { q.note(rule, r.answer(), "") }

// competes reports whether quiet hours, caps and conflicts concern a delivery: transactional
// ones ignore them.
func competes(q *sendQuestion) bool { return !q.t.exempt }

func isLate(q *sendQuestion) bool { return q.sd.late }

func refusesLate(q *sendQuestion) refusal {
	return refuseIf(q.t.program.Late == program.LateSkip, output.ReasonLate, "")
}

func noteLate(q *sendQuestion, rule trace.Rule, r refusal) {
	q.note(rule, r.answer(), "", trace.TimeFact("due", q.t.planned), trace.TimeFact("now", q.sd.now))
}

func rechecks(q *sendQuestion) bool { return q.t.program.Recheck }

func refusesRecheck(q *sendQuestion) refusal {
	return refuseIf(!q.sd.stillInAudience(q.t.program), output.ReasonAudience, "")
}

func noteRecheck(q *sendQuestion, rule trace.Rule, r refusal) {
	m, p := q.sd, q.t.program
	current := m.scope.Event.Event
	m.scope.Event.Set(m.scope.Trigger.Event)
	a := m.exprFacts(trace.Row(p, q.t.chain, rule, r.answer()), p.Audience)
	m.scope.Event.Set(current)
	a.Step, a.Channel = p.Steps[q.t.step].ID, q.channel
	m.trace.Note(a)
}

// stillInAudience asks the audience again, in the light of the trigger event.
func (sd *sends) stillInAudience(p *program.Program) bool {
	current := sd.scope.Event.Event
	sd.scope.Event.Set(sd.scope.Trigger.Event)
	holds := sd.holds(p.Audience, p.Name)
	sd.scope.Event.Set(current)
	return holds
}

func refusesOff(q *sendQuestion) refusal {
	return refuseIf(q.sd.set.SendsOff(q.t.program.Name, q.channel), output.ReasonOff, "")
}

func refusesMissing(q *sendQuestion) refusal {
	return refuseIf(q.msg.missing != "", output.ReasonVariable, q.msg.missing)
}

func noteVariables(q *sendQuestion, rule trace.Rule, r refusal) {
	facts := q.sd.variableFacts(q.t.program, q.t.program.Steps[q.t.step].ID, q.t.chain)
	if len(facts) > 0 || r.reason != output.NoReason {
		q.note(rule, r.answer(), r.detail, facts...)
	}
}

func refusesPending(q *sendQuestion) refusal {
	return refuseIf(!q.t.chain.HeldOut && len(q.sd.c.Pending) >= customer.MaxPending, output.ReasonPending, "")
}

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

// reserve uses up what a delivery needs: its place under the caps and its dedupe key.
// What a held-out chain would have sent uses up nothing.
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

func refusesQuiet(q *sendQuestion) refusal {
	inside, end, drop := q.sd.quiet(q.t.program)
	r := refuseIf(inside, output.ReasonQuiet, "")
	if inside && !drop {
		r.until = end
	}
	return r
}

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

// quiet reports whether it is quiet for the customer now, until when, and whether that drops
// what would be sent. It looks at the present instant, not at when the send was due.
func (sd *sends) quiet(p *program.Program) (inside bool, end int64, drop bool) {
	q, loc := sd.quietRule(p)
	if q == nil {
		return false, 0, false
	}
	inside, end = zone.Within(loc, sd.now, q.From, q.To)
	return inside, end, q.Drop
}

// quietRule is the quiet hours of a campaign and the zone whose clock they go by; nil
// when there are none.
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

// clock writes a minute of the day.
func clock(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60, minute%60) }

// consented says whether the customer agrees to a category: if they did not refuse,
// or, where the workspace requires it, if they granted it.
func (sd *sends) consented(category string) bool {
	x := sd.c.Consent(customer.AboutCategory, category)
	if x == nil {
		return !sd.set.Rules.Required[category]
	}
	return x.Granted
}
