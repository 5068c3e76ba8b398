package campaign

import (
	"cmp"
	"fmt"
	"sort"
	"time"

	"github.com/nudge-engine/nudge/internal/clip"
)

// note writes one row about the delivery.
func (q *sendQuestion) note(rule Rule, said Answer, about string, facts ...Fact) {
	a := row(q.t.program, q.t.chain, rule, said, facts...)
	a.Step, a.Channel, a.About = q.t.program.Steps[q.t.step].ID, q.channel, about
	q.m.trace.note(a)
}

// passes is the answer of a gate.
func (r refusal) passes() Answer { return answer(r.reason == NoReason) }

func notePlain(q *sendQuestion, rule Rule, r refusal) { q.note(rule, r.passes(), "") }

func noteLate(q *sendQuestion, rule Rule, r refusal) {
	q.note(rule, r.passes(), "", timeFact("due", q.t.planned), timeFact("now", q.m.now))
}

func noteRecheck(q *sendQuestion, rule Rule, r refusal) {
	m, p := q.m, q.t.program
	current := m.scope.event.e
	m.scope.event.set(m.scope.trigger.e)
	a := m.exprFacts(row(p, q.t.chain, rule, r.passes()), p.Audience)
	m.scope.event.set(current)
	a.Step, a.Channel = p.Steps[q.t.step].ID, q.channel
	m.trace.note(a)
}

func noteDisturb(q *sendQuestion, rule Rule, r refusal) {
	q.note(rule, r.passes(), "", consentFacts(q.m.c, AboutDisturbance, "", q.channel)...)
}

func noteConsent(q *sendQuestion, rule Rule, r refusal) {
	if q.t.exempt {
		q.note(rule, Note, "consent, quiet hours, caps and conflicts are not asked", truthFact(Transactional, true))
		return
	}
	facts := consentFacts(q.m.c, AboutCategory, q.category)
	q.note(rule, r.passes(), q.category, append(facts, truthFact("required", q.m.set.rules.required[q.category]))...)
}

func notePreference(q *sendQuestion, rule Rule, r refusal) {
	q.note(rule, r.passes(), q.channel, consentFacts(q.m.c, AboutChannel, q.channel)...)
}

// consentFacts are what is known about subjects of the names.
func consentFacts(c *Customer, subject Subject, names ...string) (facts []Fact) {
	for _, name := range names {
		x := c.consent(subject, name)
		switch {
		case x == nil && subject == AboutDisturbance:
		case x == nil:
			facts = append(facts, Fact{Name: "granted"})
		case subject == AboutDisturbance:
			on := cmp.Or(name, "every channel")
			facts = append(facts, truthFact("on "+on, !x.Granted), timeFact("at", x.At))
		default:
			facts = append(facts, truthFact("granted", x.Granted), timeFact("at", x.At), textFact("source", x.Source))
		}
	}
	return facts
}

func noteQuiet(q *sendQuestion, rule Rule, r refusal) {
	m := q.m
	hours, loc := m.quietRule(q.t.program)
	if hours == nil {
		return
	}
	facts := []Fact{
		textFact("local time", time.UnixMilli(m.now).In(loc).Format("2006-01-02 15:04:05")),
		textFact("zone", loc.String()), textFact("from", clock(hours.From)), textFact("to", clock(hours.To)),
	}
	if inside, end, drop := m.quiet(q.t.program); inside {
		facts = append(facts, timeFact("until", end), truthFact("drop", drop))
	}
	q.note(rule, r.passes(), "", facts...)
}

// noteCaps writes a row for each cap up to the one that is full.
func noteCaps(q *sendQuestion, rule Rule, r refusal) {
	free := true
	q.m.capsOf(q.t.program, q.channel, q.category, func(c *Cap) {
		if !free {
			return
		}
		used, from := q.m.usedOf(c)
		facts := []Fact{numberFact("used", used), numberFact("limit", c.Limit), timeFact("counted from", from)}
		if free = r.detail != c.Name; !free {
			facts = append(facts, timeFact("free at", q.m.freeAt(c)))
		}
		q.note(rule, answer(free), c.Name, facts...)
	})
}

func noteConflict(q *sendQuestion, rule Rule, r refusal) {
	p := q.t.program
	if p.Policy.Group == "" {
		return
	}
	facts := []Fact{textFact("group", p.Policy.Group), numberFact("priority", p.Policy.Priority)}
	if other := q.m.conflict(p, q.t.chain); other != nil {
		facts = append(facts, q.m.memberFacts("goes first", other)...)
	}
	q.note(rule, r.passes(), "", facts...)
}

// quietRule is the quiet hours of a campaign and the zone whose clock they go by; nil
// when there are none.
func (m *Machine) quietRule(p *Program) (*QuietHours, *time.Location) {
	q := p.Policy.Quiet
	if q == nil {
		q = m.set.rules.quiet
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

func noteDedupe(q *sendQuestion, rule Rule, r refusal) {
	c, key := q.m.c, q.msg.key
	facts := []Fact{textFact("key", key)}
	if i, found := c.hold(key); found && q.m.now < c.Holds[i].Until {
		h := &c.Holds[i]
		facts = append(facts, textFact("held by", h.Campaign), numberFact("entry", h.Entry), timeFact("until", h.Until))
	}
	q.note(rule, r.passes(), "", facts...)
}

func noteVariables(q *sendQuestion, rule Rule, r refusal) {
	facts := q.m.variableFacts(q.t.program, q.t.program.Steps[q.t.step].ID, q.t.chain)
	if len(facts) > 0 || r.reason != NoReason {
		q.note(rule, r.passes(), r.detail, facts...)
	}
}

func notePending(q *sendQuestion, rule Rule, r refusal) {
	if r.reason != NoReason {
		q.note(rule, No, "", numberFact("pending", len(q.m.c.Pending)), numberFact("at most", maxPending))
	}
}

// variableFacts are the values that a step's message names.
func (m *Machine) variableFacts(p *Program, step string, ch *Chain) (facts []Fact) {
	needs := append([]Variable(nil), p.needs[step]...)
	sort.Slice(needs, func(i, j int) bool { return needs[i].Path < needs[j].Path })
	for _, v := range needs {
		facts = append(facts, Fact{Name: v.Path, Value: clip.Text(string(m.lookup(p, v.Path, ch)), maxFact)})
	}
	return facts
}
