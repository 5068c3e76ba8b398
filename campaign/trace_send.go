package campaign

import (
	"cmp"
	"fmt"
	"sort"
	"time"
)

// traceGates notes what a delivery is asked before it is handed off, in the order of
// Machine.ask, up to the gate that refuses it.
func (m *Machine) traceGates(t *turn, s *Send, channel string, msg *message) {
	p, ch := t.program, t.chain
	gate := func(rule Rule, pass bool, about string, facts ...Fact) bool {
		a := row(p, ch, rule, answer(pass), facts...)
		a.Step, a.Channel, a.About = p.Steps[t.step].ID, channel, about
		m.trace.note(a)
		return pass
	}
	if m.late && !gate(RuleLate, p.Late != LateSkip, "", timeFact("due", t.planned), timeFact("now", m.now)) {
		return
	}
	if p.Recheck && !m.traceRecheck(t, channel) {
		return
	}
	if !gate(RuleSends, !m.set.SendsOff(p.Name, channel), "") {
		return
	}
	if !gate(RuleDisturb, !m.c.undisturbed(channel), "", m.c.consentFacts(AboutDisturbance, "", channel)...) {
		return
	}
	if category := p.category(s); t.exempt {
		a := row(p, ch, RuleConsent, Note, truthFact(Transactional, true))
		a.Step, a.Channel = p.Steps[t.step].ID, channel
		a.About = "consent, quiet hours, caps and conflicts are not asked"
		m.trace.note(a)
	} else {
		facts := m.c.consentFacts(AboutCategory, category)
		facts = append(facts, truthFact("required", m.set.rules.required[category]))
		if !gate(RuleConsent, m.consented(category), category, facts...) {
			return
		}
	}
	if !gate(RulePreference, !m.c.refused(AboutChannel, channel), channel, m.c.consentFacts(AboutChannel, channel)...) {
		return
	}
	if !t.exempt && !m.traceCompetition(p, ch, p.category(s), channel, gate) {
		return
	}
	if msg.key != "" && !m.traceDedupe(ch, msg.key, gate) {
		return
	}
	facts := m.variableFacts(p, p.Steps[t.step].ID, ch)
	if len(facts)+len(msg.missing) > 0 && !gate(RuleVariables, msg.missing == "", msg.missing, facts...) {
		return
	}
	if n := len(m.c.Pending); !ch.HeldOut && n >= maxPending {
		gate(RulePending, false, "", numberFact("pending", n), numberFact("at most", maxPending))
	}
}

func (m *Machine) traceRecheck(t *turn, channel string) bool {
	holds := m.quietly(func() bool { return m.stillInAudience(t.program) })
	current := m.scope.event.e
	m.scope.event.set(m.scope.trigger.e)
	a := m.exprFacts(row(t.program, t.chain, RuleRecheck, answer(holds)), t.program.Audience)
	m.scope.event.set(current)
	a.Step, a.Channel = t.program.Steps[t.step].ID, channel
	m.trace.note(a)
	return holds
}

// consentFacts are what is known about subjects of the names.
func (c *Customer) consentFacts(subject Subject, names ...string) (facts []Fact) {
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

// traceCompetition notes what transactional deliveries ignore: quiet hours, caps and
// conflicts.
func (m *Machine) traceCompetition(p *Program, ch *Chain, category, channel string,
	gate func(Rule, bool, string, ...Fact) bool,
) bool {
	if q, loc := m.quietRule(p); q != nil {
		inside, end, drop := m.quiet(p)
		facts := []Fact{
			textFact("local time", time.UnixMilli(m.now).In(loc).Format("2006-01-02 15:04:05")),
			textFact("zone", loc.String()), textFact("from", clock(q.From)), textFact("to", clock(q.To)),
		}
		if inside {
			facts = append(facts, timeFact("until", end), truthFact("drop", drop))
		}
		if !gate(RuleQuiet, !inside, "", facts...) {
			return false
		}
	}
	free := true
	m.capsOf(p, channel, category, func(c *Cap) {
		if free {
			used, from := m.usedOf(c)
			at := m.freeAt(c)
			facts := []Fact{numberFact("used", used), numberFact("limit", c.Limit), timeFact("counted from", from)}
			if free = at <= m.now; !free {
				facts = append(facts, timeFact("free at", at))
			}
			gate(RuleCap, free, c.Name, facts...)
		}
	})
	if !free || p.Policy.Group == "" {
		return free
	}
	other := m.conflict(p, ch)
	facts := []Fact{textFact("group", p.Policy.Group), numberFact("priority", p.Policy.Priority)}
	if other != nil {
		facts = append(facts, m.memberFacts("goes first", other)...)
	}
	return gate(RuleConflict, other == nil, "", facts...)
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

// usedOf is how many deliveries a cap counts at present, and from which instant on.
func (m *Machine) usedOf(c *Cap) (used int, from int64) {
	from = m.countsFrom(c)
	if u := m.c.capUse(c.Name); u != nil {
		used = len(u.Uses) - sort.Search(len(u.Uses), func(i int) bool { return u.Uses[i].At >= from })
	}
	return used, from
}

func (m *Machine) traceDedupe(ch *Chain, key string, gate func(Rule, bool, string, ...Fact) bool) bool {
	facts := []Fact{textFact("key", key)}
	holder, full := m.heldBy(key, ch)
	if i, found := m.c.hold(key); found && m.now < m.c.Holds[i].Until {
		h := &m.c.Holds[i]
		facts = append(facts, textFact("held by", h.Campaign), numberFact("entry", h.Entry), timeFact("until", h.Until))
	}
	return gate(RuleDedupe, holder == "" && !full, "", facts...)
}

// variableFacts are the values that a step's message names.
func (m *Machine) variableFacts(p *Program, step string, ch *Chain) (facts []Fact) {
	needs := append([]Variable(nil), p.needs[step]...)
	sort.Slice(needs, func(i, j int) bool { return needs[i].Path < needs[j].Path })
	for _, v := range needs {
		facts = append(facts, Fact{Name: v.Path, Value: clip(string(m.lookup(p, v.Path, ch)), maxFact)})
	}
	return facts
}
