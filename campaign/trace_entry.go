package campaign

import (
	"github.com/valyala/fastjson"
)

// traceTrigger notes that a campaign's trigger looks at the record in hand; offer says
// later whether it fired.
func (m *Machine) traceTrigger(p *Program, e *Event) {
	a := row(p, nil, RuleTrigger, No)
	switch t := p.Trigger.(type) {
	case *EventTrigger:
		a = m.exprFacts(a, t.Where)
	case *CountTrigger:
		n := uint64(0)
		if c := m.c.counter(counterID(t.Event, sourceOf(t.Where))); c != nil {
			n = c.Count
		}
		a = m.exprFacts(a, t.Where)
		a.Facts = append(a.Facts, numberFact("count", n), numberFact("reaches", t.Reaches))
	case *InactivityTrigger:
		a.Answer = Note
		counts := true
		if t.Where != nil {
			counts, _ = t.Where.holds(m.scope)
		}
		if a = m.exprFacts(a, t.Where); e != nil && counts {
			a.Facts = append(a.Facts, timeFact("due if none comes", e.Time+t.For))
		}
	case *StreakTrigger:
		a = m.exprFacts(a, t.Where)
		a.Facts = append(a.Facts, numberFact("in the streak before", runningStreak(m.c, p, t)),
			numberFact("length", t.Length))
	case *ThresholdTrigger:
		a = m.exprFacts(a, t.Value)
		a.Facts = append(a.Facts, m.valueBefore(p), floatFact("at", t.At))
	case *SegmentTrigger:
		a = m.exprFacts(a, t.When)
		if m.isInside(t) {
			a.Unmet = nil
		}
		a.Facts = append(a.Facts, truthFact("before", m.wasInside(p, t)), truthFact("now", m.isInside(t)))
	case *ChangeTrigger:
		var before, after fastjson.Parser
		a.Facts = append(a.Facts, jsonFact("from", atPath(&before, m.seenTraits, t.Path)),
			jsonFact("to", atPath(&after, m.c.Traits, t.Path)))
	case *DateTrigger:
		return // see tracePlanned
	case *WebhookTrigger, *BroadcastTrigger, *ScheduleTrigger:
	}
	m.trace.note(a)
}

// runningStreak is how many events of a streak follow each other at present.
func runningStreak(c *Customer, p *Program, t *StreakTrigger) (run int) {
	for i := range c.Streaks {
		if s := &c.Streaks[i]; s.Campaign == p.Name && s.Spec == t.spec {
			for j, mark := range s.Marks {
				switch {
				case mark.Break:
					run = 0
				case run > 0 && t.MaxGap > 0 && mark.Time-s.Marks[j-1].Time > t.MaxGap:
					run = 1
				default:
					run++
				}
			}
		}
	}
	return run
}

// valueBefore is the value of a threshold before the record in hand.
func (m *Machine) valueBefore(p *Program) Fact {
	for i := range m.before {
		if m.before[i].program == p && m.before[i].known {
			return floatFact("before", m.before[i].value)
		}
	}
	return Fact{Name: "before"}
}

func (m *Machine) wasInside(p *Program, t *SegmentTrigger) bool {
	if l := m.c.level(p.Name); l != nil && l.Spec == t.spec {
		return l.On
	}
	for i := range m.before {
		if m.before[i].program == p {
			return m.before[i].value == 1
		}
	}
	return false
}

func (m *Machine) isInside(t *SegmentTrigger) bool {
	inside, _ := t.When.holds(m.scope)
	return inside
}

// tracePlanned notes for when a date trigger is armed.
func (m *Machine) tracePlanned(p *Program, t *DateTrigger) {
	a := m.exprFacts(row(p, nil, RuleTrigger, Note), t.Path)
	for i := range m.c.Dates {
		if w := &m.c.Dates[i]; w.Campaign == p.Name {
			a.Facts = append(a.Facts, timeFact("planned", w.Due))
		}
	}
	m.trace.note(a)
}

// traceOffer notes that a trigger fired, and how old its event is.
func (m *Machine) traceOffer(p *Program, e *Event) {
	m.trace.fires(p.Name)
	switch {
	case e == nil:
	case e.Historical:
		m.trace.note(row(p, nil, RuleHistorical, No, truthFact("historical", true)))
	default:
		age := m.now - e.Time
		m.trace.note(row(p, nil, RuleAge, answer(age <= p.MaxEventAge), spanFact("age", age),
			spanFact("at most", p.MaxEventAge)))
	}
}

// traceEntry notes what an entry is asked, in the order of enterIfAllowed, up to the
// rule that refuses it.
func (m *Machine) traceEntry(p *Program, trigger *Event) {
	if !m.traceOpen(p) {
		return
	}
	key, ok := m.key(p, trigger)
	if p.Reentry.Key != nil {
		current := m.scope.event.e
		m.scope.event.set(trigger)
		a := m.exprFacts(row(p, nil, RuleKey, answer(ok)), p.Reentry.Key)
		m.scope.event.set(current)
		m.trace.note(a)
	}
	if !ok || !m.traceReentry(p, key) {
		return
	}
	if live := m.liveOf(p, key); len(live) > 0 && p.Reentry.OnActive.replaces() {
		newest := live[len(live)-1]
		if m.beganLater(p, newest, trigger) {
			at, _ := m.startOf(p, trigger)
			m.trace.note(row(p, newest, RuleActive, No, timeFact("event time", at),
				timeFact("the live chain began", newest.start(decodeBody(newest.Trigger)))))
			return
		}
		if p.Reentry.OnActive == RefreshLive {
			return
		}
	}
	if p.Audience != nil && !m.traceAudience(p, key) {
		return
	}
	if trigger != nil && len(p.Goals) > 0 && !m.traceSeen(p, key, trigger, RuleConverted) {
		return
	}
	if trigger != nil && len(p.Stops) > 0 && !m.traceSeen(p, key, trigger, RuleStopped) {
		return
	}
	if p.Policy.Group == "" {
		m.traceHoldout(p, key)
	}
}

// traceOpen notes whether a campaign takes entries at all at present.
func (m *Machine) traceOpen(p *Program) bool {
	if p.Status != StatusActive {
		m.trace.note(row(p, nil, RuleStatus, No, textFact("status", p.Status.word())))
		return false
	}
	if p.From == 0 && p.Until == 0 {
		return true
	}
	within := m.now >= p.From && (p.Until == 0 || m.now < p.Until)
	m.trace.note(row(p, nil, RulePeriod, answer(within), timeFact("now", m.now), timeFact("from", p.From),
		timeFact("until", p.Until)))
	return within
}

// traceReentry notes the re-entry rule and the room for live chains.
func (m *Machine) traceReentry(p *Program, key string) bool {
	keyed := p.Reentry.Key != nil
	reason := m.mayEnter(p, key)
	repeats := reason == ReasonOnce || reason == ReasonCooldown || reason == ReasonKeys
	mode := [...]string{Always: "always", Once: "once", Cooldown: "cooldown"}[p.Reentry.Mode]
	a := row(p, nil, RuleReentry, answer(!repeats), textFact("mode", mode))
	a.Key = key
	// Entries are told apart by key only where the rule needs that.
	past := m.c.entry(p.Name, "", false)
	if keyed && p.Reentry.Mode != Always {
		past = m.c.entry(p.Name, key, true)
	}
	a.Facts = append(a.Facts, pastFacts(p, past)...)
	m.trace.note(a)
	if repeats {
		return false
	}
	all := 0
	for _, ch := range m.c.Chains {
		if ch.live() {
			all++
		}
	}
	onActive := [...]string{IgnoreNew: "ignore", RestartLive: "restart", RefreshLive: "refresh", Parallel: "parallel"}
	a = row(p, nil, RuleActive, answer(reason == NoReason), numberFact("live chains of the key", len(m.liveOf(p, key))),
		numberFact("max_active", p.Reentry.MaxActive), textFact("on_active", onActive[p.Reentry.OnActive]))
	if a.Key = key; all >= MaxLiveChains {
		a.Facts = append(a.Facts, numberFact("live chains in all", all), numberFact("at most", MaxLiveChains))
	}
	m.trace.note(a)
	return reason == NoReason
}

// pastFacts are what is known of earlier entries; nil: there were none.
func pastFacts(p *Program, past *Entry) []Fact {
	if past == nil || past.Number == 0 {
		return []Fact{numberFact("entries", 0)}
	}
	facts := []Fact{numberFact("entries", past.Number), timeFact("last entry", past.LastIn)}
	if p.Reentry.Mode != Cooldown {
		return facts
	}
	from := past.LastIn
	if p.Reentry.FromExit {
		from = past.LastOut
		facts = append(facts, timeFact("last exit", from))
	}
	if from != 0 {
		facts = append(facts, timeFact("cooldown until", from+p.Reentry.Cooldown))
	}
	return facts
}

func (m *Machine) traceAudience(p *Program, key string) bool {
	holds, _ := p.Audience.holds(m.scope)
	a := m.exprFacts(row(p, nil, RuleAudience, answer(holds)), p.Audience)
	a.Key = key
	m.trace.note(a)
	return holds
}

// traceSeen notes the goal event (already_converted) or stop event (already_stopped) that
// happened after the trigger, if one was seen.
func (m *Machine) traceSeen(p *Program, key string, trigger *Event, rule Rule) bool {
	a := row(p, nil, rule, Yes)
	a.Key = key
	a.Facts = append(a.Facts, timeFact("trigger event time", trigger.Time))
	ask := func(about string, match *Matcher) bool {
		var found *Event
		m.quietly(func() { found = m.seenAfter(trigger, match, p.Name) })
		if found != nil {
			a.Answer, a.About = No, about
			a.Facts = append(a.Facts, textFact("event", found.Name), textFact("event id", found.ID),
				timeFact("event time", found.Time))
		}
		return found != nil
	}
	for i := range p.Goals {
		if rule == RuleConverted && ask(p.Goals[i].ID, &p.Goals[i].Match) {
			break
		}
	}
	for i := range p.Stops {
		if rule == RuleStopped && ask(p.Stops[i].Event, &p.Stops[i]) {
			break
		}
	}
	m.trace.note(a)
	return a.Answer == Yes
}

// traceHoldout notes in which part of the customers this one is.
func (m *Machine) traceHoldout(p *Program, key string) {
	h := p.Policy.Holdout
	if h == nil {
		return
	}
	salt := h.Salt
	if salt == "" {
		salt = p.Name
	}
	// A held-out customer enters all the same: the answer says whether messages are sent.
	a := row(p, nil, RuleHoldout, answer(!p.holdsOut(m.c.ID)), numberFact("bucket", Bucket(salt, m.c.ID)),
		numberFact("held out below", h.Below))
	a.Key = key
	m.trace.note(a)
}

// traceGroup notes whether the group lets a candidate in.
func (m *Machine) traceGroup(p *Program, key string) {
	if m.mayEnter(p, key) != NoReason {
		m.traceReentry(p, key)
		return
	}
	lower, rival := m.rivals(p, key)
	a := row(p, nil, RuleGroup, answer(rival == nil), textFact("group", p.Policy.Group),
		numberFact("priority", p.Policy.Priority))
	a.Key = key
	if rival != nil {
		a.Facts = append(a.Facts, m.memberFacts("live", rival)...)
	}
	for _, ch := range lower {
		a.Facts = append(a.Facts, m.memberFacts("preempts", ch)...)
	}
	m.trace.note(a)
	if rival == nil {
		m.traceHoldout(p, key)
	}
}

func (m *Machine) memberFacts(name string, ch *Chain) []Fact {
	facts := []Fact{textFact(name, ch.Campaign)}
	if q := m.set.byName[ch.Campaign]; q != nil {
		facts = append(facts, numberFact("its priority", q.Policy.Priority))
	}
	return facts
}

// traceVisit notes the audience of a broadcast or a schedule.
func (m *Machine) traceVisit(p *Program, audience *Expr) {
	a := row(p, nil, RuleTrigger, Yes)
	if audience != nil {
		holds, _ := audience.holds(m.scope)
		a.Answer = answer(holds)
	}
	m.trace.note(m.exprFacts(a, audience))
}
