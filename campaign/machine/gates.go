package machine

import (
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
	"github.com/nudge-engine/nudge/campaign/zone"
)

// refusal is why a delivery is not handed off now; the zero value lets it go.
type refusal struct {
	reason output.Reason
	detail string
	until  int64 // when it is asked again, ms; 0: it is dropped
	exit   bool  // the chain ends
}

// message is what a send captured for its deliveries.
type message struct {
	values  []byte
	missing string // name of the first variable without a value; empty when all have one
	key     string // of the campaign's dedupe rule, empty for none
}

// sendQuestion is what the gates of a send are asked about: one delivery.
type sendQuestion struct {
	m        *Machine
	t        *pendingSend
	send     *program.Send
	channel  string
	category string
	msg      *message
}

// gate is one thing that may keep a delivery back. The decision and the explanation run
// through the same gates, so that they cannot say different things.
type gate struct {
	rule trace.Rule
	// asked says whether the gate concerns the delivery at all; nil: always.
	asked func(q *sendQuestion) bool
	// refuses says why the delivery is kept back; the zero value lets it pass. It changes
	// nothing: take does.
	refuses func(q *sendQuestion) refusal
	// note writes into the trace what was compared.
	note func(q *sendQuestion, rule trace.Rule, r refusal)
}

// sendGates are in the order of the language.
//
//nudge:constant read only
var sendGates = [...]gate{
	{trace.RuleLate, isLate, refusesLate, noteLate},
	{trace.RuleRecheck, rechecks, refusesAudience, noteRecheck},
	{trace.RuleSends, nil, refusesOff, notePlain},
	{trace.RuleDisturb, nil, refusesDisturbed, noteDisturb},
	{trace.RuleConsent, nil, refusesConsent, noteConsent},
	{trace.RulePreference, nil, refusesPreference, notePreference},
	{trace.RuleQuiet, competes, refusesQuiet, noteQuiet},
	{trace.RuleCap, competes, refusesCap, noteCaps},
	{trace.RuleConflict, competes, refusesConflict, noteConflict},
	{trace.RuleDedupe, hasKey, refusesKey, noteDedupe},
	{trace.RuleVariables, nil, refusesMissing, noteVariables},
	{trace.RulePending, nil, refusesPending, notePending},
}

// ask asks the gates whether a delivery of a chain may be handed off on a channel; the
// first that refuses it decides.
func (m *Machine) ask(t *pendingSend, s *program.Send, channel string, msg *message) refusal {
	q := sendQuestion{m: m, t: t, send: s, channel: channel, category: t.program.Category(s), msg: msg}
	for i := range sendGates {
		g := &sendGates[i]
		if g.asked != nil && !g.asked(&q) {
			continue
		}
		r := g.refuses(&q)
		if m.trace != nil {
			g.note(&q, g.rule, r)
		}
		if r.reason != output.NoReason {
			return r
		}
	}
	return refusal{}
}

// refuse is a refusal where a gate is closed.
func refuse(closed bool, reason output.Reason, detail string) refusal {
	if !closed {
		return refusal{}
	}
	return refusal{reason: reason, detail: detail}
}

func isLate(q *sendQuestion) bool   { return q.m.late }
func rechecks(q *sendQuestion) bool { return q.t.program.Recheck }

// competes says that quiet hours, caps and conflicts are asked: transactional deliveries
// ignore them.
func competes(q *sendQuestion) bool { return !q.t.exempt }
func hasKey(q *sendQuestion) bool   { return q.msg.key != "" }

func refusesLate(q *sendQuestion) refusal {
	return refuse(q.t.program.Late == program.LateSkip, output.ReasonLate, "")
}

func refusesAudience(q *sendQuestion) refusal {
	return refuse(!q.m.stillInAudience(q.t.program), output.ReasonAudience, "")
}

func refusesOff(q *sendQuestion) refusal {
	return refuse(q.m.set.SendsOff(q.t.program.Name, q.channel), output.ReasonOff, "")
}

func refusesDisturbed(q *sendQuestion) refusal {
	return refuse(q.m.c.Undisturbed(q.channel), output.ReasonDisturb, "")
}

func refusesConsent(q *sendQuestion) refusal {
	return refuse(!q.t.exempt && !q.m.consented(q.category), output.ReasonNoConsent, q.category)
}

func refusesPreference(q *sendQuestion) refusal {
	return refuse(q.m.c.Refused(customer.AboutChannel, q.channel), output.ReasonPreference, q.channel)
}

func refusesQuiet(q *sendQuestion) refusal {
	inside, end, drop := q.m.quiet(q.t.program)
	r := refuse(inside, output.ReasonQuiet, "")
	if inside && !drop {
		r.until = end
	}
	return r
}

func refusesCap(q *sendQuestion) refusal {
	name, until := q.m.capped(q.t.program, q.channel, q.category)
	r := refuse(name != "", output.ReasonCap, name)
	if name == "" {
		return r
	}
	if r.exit = q.send.OnCap == program.CapExit; q.send.OnCap == program.CapDefer {
		r.until = until
	}
	return r
}

func refusesConflict(q *sendQuestion) refusal {
	if other := q.m.conflict(q.t.program, q.t.chain); other != nil {
		return refusal{reason: output.ReasonConflict, detail: other.Campaign}
	}
	return refusal{}
}

func refusesKey(q *sendQuestion) refusal {
	holder, full := q.m.lockHolder(q.msg.key, q.t.chain)
	if holder != "" {
		return refusal{reason: output.ReasonDedupe, detail: holder}
	}
	return refuse(full, output.ReasonKeys, "")
}

func refusesMissing(q *sendQuestion) refusal {
	return refuse(q.msg.missing != "", output.ReasonVariable, q.msg.missing)
}

func refusesPending(q *sendQuestion) refusal {
	return refuse(!q.t.chain.HeldOut && len(q.m.c.Pending) >= customer.MaxPending, output.ReasonPending, "")
}

// quiet says whether it is quiet for the customer now, until when, and whether that
// drops what would be sent. It looks at the present instant, not at when the send
// was due.
func (m *Machine) quiet(p *program.Program) (inside bool, end int64, drop bool) {
	q := p.Policy.Quiet
	if q == nil {
		q = m.set.Rules.Quiet
	}
	if q == nil {
		return false, 0, false
	}
	loc := m.zone(p)
	if q.Zone != "" {
		if fixed := m.loadZone(q.Zone); fixed != nil {
			loc = fixed
		}
	}
	inside, end = zone.Within(loc, m.now, q.From, q.To)
	return inside, end, q.Drop
}

// reserve uses up what a delivery needs: its place under the caps and its dedupe key.
// What a held-out chain would have sent uses up nothing.
func (m *Machine) reserve(t *pendingSend, s *program.Send, d *output.Delivery, msg *message) {
	if t.chain.HeldOut {
		return
	}
	if !t.exempt {
		m.consume(t.program, d, t.program.Category(s))
	}
	if msg.key != "" {
		m.takeKey(msg.key, t.program, t.chain)
	}
}

// stillInAudience asks the audience again, in the light of the trigger event.
func (m *Machine) stillInAudience(p *program.Program) bool {
	current := m.scope.Event.Event
	m.scope.Event.Set(m.scope.Trigger.Event)
	holds := m.holds(p.Audience, p.Name)
	m.scope.Event.Set(current)
	return holds
}

// consented says whether the customer agrees to a category: if they did not refuse,
// or, where the workspace requires it, if they granted it.
func (m *Machine) consented(category string) bool {
	x := m.c.Consent(customer.AboutCategory, category)
	if x == nil {
		return !m.set.Rules.Required[category]
	}
	return x.Granted
}
