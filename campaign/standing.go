package campaign

// Standing notes in t how things stand with a customer at now: of each campaign what an
// entry would be asked, as far as that depends on no event, where its chains stand, what
// they wait for, and what the gates of their next send would say now.
//
// REQUIRES: c is a copy of the caller's own; the machine is used for nothing else.
func (m *Machine) Standing(c *Customer, now int64, t *Trace) {
	m.Observe(t)
	m.begin(c, now, new(Output))
	if m.trace == nil {
		return
	}
	m.trace.occasion(Occasion{At: now, What: "now"})
	for _, p := range m.set.programs {
		if t.Campaign != "" && t.Campaign != p.Name {
			continue
		}
		m.scope.chain.c = nil
		m.scope.trigger.set(nil)
		m.standingEntry(p)
		for _, ch := range c.Chains {
			if of := m.set.of(ch); ch.live() && ch.Campaign == p.Name && of != nil {
				m.standingChain(of, ch)
			}
		}
		for i := range c.Pending {
			if c.Pending[i].Delivery.Campaign == p.Name {
				m.standingPending(p, &c.Pending[i])
			}
		}
	}
}

// standingEntry notes what is known of an entry without its event.
func (m *Machine) standingEntry(p *Program) {
	m.trace.note(m.listening(p))
	m.traceOpen(p)
	enters := p.Reentry.Key != nil || m.traceReentry(p, "")
	if p.Audience != nil && !p.Audience.reads.record {
		m.traceAudience(p, "")
	}
	switch {
	case p.Policy.Group == "":
		m.traceHoldout(p, "")
	case enters:
		m.traceGroup(p, "")
	}
	waiting := 0
	for i := range m.c.queue {
		if m.c.queue[i].campaign == p.Name {
			waiting++
		}
	}
	if waiting > 0 {
		m.trace.note(row(p, nil, RuleStatus, Note, numberFact("entries that wait", waiting)))
	}
}

// standingPending notes a delivery whose result is not known yet.
func (m *Machine) standingPending(p *Program, at *Pending) {
	d := &at.Delivery
	a := row(p, nil, RulePending, Note, numberFact("attempt", d.Attempt), timeFact("handed off", d.At),
		timeFact("next attempt", at.RetryAt), timeFact("expires", d.Expires))
	a.Version, a.Key, a.Entry, a.Step, a.Channel = d.Version, d.Key, d.Entry, d.Step, d.Channel
	m.trace.note(a)
}

// listening says what a campaign's trigger waits for.
func (m *Machine) listening(p *Program) Asked {
	a := row(p, nil, RuleTrigger, Note)
	switch t := p.Trigger.(type) {
	case *EventTrigger:
		a.About, a.Source = "event "+t.Name, sourceOf(t.Where)
	case *CountTrigger:
		a.About, a.Source = "count of "+t.Event, sourceOf(t.Where)
		n := uint64(0)
		if c := m.c.counter(counterID(t.Event, a.Source)); c != nil {
			n = c.Count
		}
		a.Facts = append(a.Facts, numberFact("count", n), numberFact("reaches", t.Reaches))
	case *InactivityTrigger:
		a.About, a.Source = "inactivity of "+t.Event, sourceOf(t.Where)
		if i, found := m.c.watch(p.Name); found {
			a.Facts = append(a.Facts, timeFact("due", m.c.Watches[i].Due))
		}
	case *StreakTrigger:
		a.About, a.Source = "streak of "+t.Event, sourceOf(t.Where)
		a.Facts = append(a.Facts, numberFact("in the streak", runningStreak(m.c, p, t)), numberFact("length", t.Length))
	case *ThresholdTrigger:
		a.About = "threshold"
		a = m.exprFacts(a, t.Value)
		a = m.levelFacts(a, p)
	case *SegmentTrigger:
		a.About = "segment"
		a = m.exprFacts(a, t.When)
		a.Facts = append(a.Facts, truthFact("inside", m.isInside(t)))
		a = m.levelFacts(a, p)
	case *DateTrigger:
		a.About = "date"
		a = m.exprFacts(a, t.Path)
		for i := range m.c.Dates {
			if w := &m.c.Dates[i]; w.Campaign == p.Name && w.Due != 0 {
				a.Facts = append(a.Facts, timeFact("due", w.Due))
			}
		}
	case *ChangeTrigger:
		a.About = "change of the profile"
	case *WebhookTrigger:
		a.About = "webhook"
	case *BroadcastTrigger:
		a.About, a.Source = "broadcast "+t.Event, sourceOf(t.Audience)
	case *ScheduleTrigger:
		a.About = "schedule " + t.Text
	}
	return a
}

// levelFacts say when the value of a trigger may change without a record.
func (m *Machine) levelFacts(a Asked, p *Program) Asked {
	if l := m.c.level(p.Name); l != nil && l.Due != 0 {
		a.Facts = append(a.Facts, timeFact("may change at", l.Due))
	}
	return a
}

// standingChain notes where a live chain stands, and what its next send is asked now.
func (m *Machine) standingChain(p *Program, ch *Chain) {
	m.look(ch)
	m.trace.note(m.resting(p, ch))
	at := p.nextSend(ch)
	if at < 0 {
		return
	}
	s, ok := p.Steps[at].Verb.(*Send)
	if !ok {
		return
	}
	t := &turn{
		chain: ch, program: p, step: at, planned: m.now, exempt: p.category(s) == Transactional,
		priority: p.Policy.Priority,
	}
	var msg *message
	m.quietly(func() { msg = m.message(p, p.Steps[at].ID, s, ch) })
	m.trace.mute = true // what the gates would write down is not decided
	for _, channel := range undecided(ch, s) {
		m.ask(t, s, channel, msg)
	}
	m.trace.mute = false
}
