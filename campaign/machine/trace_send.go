package machine

import (
	"cmp"
	"fmt"
	"sort"
	"time"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
	"github.com/nudge-engine/nudge/internal/clip"
)

// note writes one row about the delivery.
func (q *sendQuestion) note(rule trace.Rule, said trace.Answer, about string, facts ...trace.Fact) {
	a := trace.Row(q.t.program, q.t.chain, rule, said, facts...)
	a.Step, a.Channel, a.About = q.t.program.Steps[q.t.step].ID, q.channel, about
	q.m.trace.Note(a)
}

// passes is the answer of a gate.
func (r refusal) passes() trace.Answer { return trace.AnswerOf(r.reason == output.NoReason) }

func notePlain(q *sendQuestion, rule trace.Rule, r refusal) { q.note(rule, r.passes(), "") }

func noteLate(q *sendQuestion, rule trace.Rule, r refusal) {
	q.note(rule, r.passes(), "", trace.TimeFact("due", q.t.planned), trace.TimeFact("now", q.m.now))
}

func noteRecheck(q *sendQuestion, rule trace.Rule, r refusal) {
	m, p := q.m, q.t.program
	current := m.scope.Event.Event
	m.scope.Event.Set(m.scope.Trigger.Event)
	a := m.exprFacts(trace.Row(p, q.t.chain, rule, r.passes()), p.Audience)
	m.scope.Event.Set(current)
	a.Step, a.Channel = p.Steps[q.t.step].ID, q.channel
	m.trace.Note(a)
}

func noteDisturb(q *sendQuestion, rule trace.Rule, r refusal) {
	q.note(rule, r.passes(), "", consentFacts(q.m.c, customer.AboutDisturbance, "", q.channel)...)
}

func noteConsent(q *sendQuestion, rule trace.Rule, r refusal) {
	if q.t.exempt {
		q.note(
			rule,
			trace.Note,
			"consent, quiet hours, caps and conflicts are not asked",
			trace.TruthFact(program.Transactional, true),
		)
		return
	}
	facts := consentFacts(q.m.c, customer.AboutCategory, q.category)
	q.note(
		rule,
		r.passes(),
		q.category,
		append(facts, trace.TruthFact("required", q.m.set.Rules.Required[q.category]))...)
}

func notePreference(q *sendQuestion, rule trace.Rule, r refusal) {
	q.note(rule, r.passes(), q.channel, consentFacts(q.m.c, customer.AboutChannel, q.channel)...)
}

// consentFacts are what is known about subjects of the names.
func consentFacts(c *customer.Customer, subject customer.Subject, names ...string) (facts []trace.Fact) {
	for _, name := range names {
		x := c.Consent(subject, name)
		switch {
		case x == nil && subject == customer.AboutDisturbance:
		case x == nil:
			facts = append(facts, trace.Fact{Name: "granted"})
		case subject == customer.AboutDisturbance:
			on := cmp.Or(name, "every channel")
			facts = append(facts, trace.TruthFact("on "+on, !x.Granted), trace.TimeFact("at", x.At))
		default:
			facts = append(
				facts,
				trace.TruthFact("granted", x.Granted),
				trace.TimeFact("at", x.At),
				trace.TextFact("source", x.Source),
			)
		}
	}
	return facts
}

func noteQuiet(q *sendQuestion, rule trace.Rule, r refusal) {
	m := q.m
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
	q.note(rule, r.passes(), "", facts...)
}

// noteCaps writes a row for each cap up to the one that is full.
func noteCaps(q *sendQuestion, rule trace.Rule, r refusal) {
	free := true
	q.m.capsOf(q.t.program, q.channel, q.category, func(c *program.Cap) {
		if !free {
			return
		}
		used, from := q.m.usedOf(c)
		facts := []trace.Fact{
			trace.NumberFact("used", used),
			trace.NumberFact("limit", c.Limit),
			trace.TimeFact("counted from", from),
		}
		if free = r.detail != c.Name; !free {
			facts = append(facts, trace.TimeFact("free at", q.m.freeAt(c)))
		}
		q.note(rule, trace.AnswerOf(free), c.Name, facts...)
	})
}

func noteConflict(q *sendQuestion, rule trace.Rule, r refusal) {
	p := q.t.program
	if p.Policy.Group == "" {
		return
	}
	facts := []trace.Fact{trace.TextFact("group", p.Policy.Group), trace.NumberFact("priority", p.Policy.Priority)}
	if other := q.m.conflict(p, q.t.chain); other != nil {
		facts = append(facts, q.m.memberFacts("goes first", other)...)
	}
	q.note(rule, r.passes(), "", facts...)
}

// quietRule is the quiet hours of a campaign and the zone whose clock they go by; nil
// when there are none.
func (m *Machine) quietRule(p *program.Program) (*program.QuietHours, *time.Location) {
	q := p.Policy.Quiet
	if q == nil {
		q = m.set.Rules.Quiet
	}
	if q == nil {
		return nil, nil
	}
	if q.Zone != "" {
		if fixed := m.loadZone(q.Zone); fixed != nil {
			return q, fixed
		}
	}
	return q, m.zone(p)
}

// clock writes a minute of the day.
func clock(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60, minute%60) }

func noteDedupe(q *sendQuestion, rule trace.Rule, r refusal) {
	c, key := q.m.c, q.msg.key
	facts := []trace.Fact{trace.TextFact("key", key)}
	if i, found := c.Hold(key); found && q.m.now < c.Holds[i].Until {
		h := &c.Holds[i]
		facts = append(
			facts,
			trace.TextFact("held by", h.Campaign),
			trace.NumberFact("entry", h.Entry),
			trace.TimeFact("until", h.Until),
		)
	}
	q.note(rule, r.passes(), "", facts...)
}

func noteVariables(q *sendQuestion, rule trace.Rule, r refusal) {
	facts := q.m.variableFacts(q.t.program, q.t.program.Steps[q.t.step].ID, q.t.chain)
	if len(facts) > 0 || r.reason != output.NoReason {
		q.note(rule, r.passes(), r.detail, facts...)
	}
}

func notePending(q *sendQuestion, rule trace.Rule, r refusal) {
	if r.reason != output.NoReason {
		q.note(
			rule,
			trace.No,
			"",
			trace.NumberFact("pending", len(q.m.c.Pending)),
			trace.NumberFact("at most", customer.MaxPending),
		)
	}
}

// variableFacts are the values that a step's message names.
func (m *Machine) variableFacts(p *program.Program, step string, ch *customer.Chain) (facts []trace.Fact) {
	needs := append([]program.Variable(nil), p.Needs[step]...)
	sort.Slice(needs, func(i, j int) bool { return needs[i].Path < needs[j].Path })
	for _, v := range needs {
		facts = append(
			facts,
			trace.Fact{Name: v.Path, Value: clip.Text(string(m.lookup(p, v.Path, ch)), trace.MaxFact)},
		)
	}
	return facts
}
