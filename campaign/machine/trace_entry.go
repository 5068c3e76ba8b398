package machine

import (
	"github.com/valyala/fastjson"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
)

// traceTrigger notes that a campaign's trigger looks at the current record; offer says
// later whether it fired.
func (m *Machine) traceTrigger(p *program.Program, e *event.Event) {
	a := trace.Row(p, nil, trace.RuleTrigger, trace.No)
	switch t := p.Trigger.(type) {
	case *program.EventTrigger:
		a = m.exprFacts(a, t.Where)
	case *program.CountTrigger:
		n := uint64(0)
		if c := m.c.Counter(customer.CounterID(t.Event, expr.SourceOf(t.Where))); c != nil {
			n = c.Count
		}
		a = m.exprFacts(a, t.Where)
		a.Facts = append(a.Facts, trace.NumberFact("count", n), trace.NumberFact("reaches", t.Reaches))
	case *program.InactivityTrigger:
		a.Answer = trace.Note
		counts := true
		if t.Where != nil {
			counts, _ = t.Where.Holds(m.scope)
		}
		if a = m.exprFacts(a, t.Where); e != nil && counts {
			a.Facts = append(a.Facts, trace.TimeFact("due if none comes", e.Time+t.For))
		}
	case *program.StreakTrigger:
		a = m.exprFacts(a, t.Where)
		a.Facts = append(a.Facts, trace.NumberFact("in the streak before", runningStreak(m.c, p, t)),
			trace.NumberFact("length", t.Length))
	case *program.ThresholdTrigger:
		a = m.exprFacts(a, t.Value)
		a.Facts = append(a.Facts, m.valueBefore(p), trace.FloatFact("at", t.At))
	case *program.SegmentTrigger:
		a = m.exprFacts(a, t.When)
		if m.isInside(t) {
			a.Unmet = nil
		}
		a.Facts = append(a.Facts, trace.TruthFact("before", m.wasInside(p, t)), trace.TruthFact("now", m.isInside(t)))
	case *program.ChangeTrigger:
		var before, after fastjson.Parser
		a.Facts = append(a.Facts, trace.JSONFact("from", atPath(&before, m.lastTraits(), t.Path)),
			trace.JSONFact("to", atPath(&after, m.c.Traits, t.Path)))
	case *program.DateTrigger:
		return // see tracePlanned
	case *program.WebhookTrigger, *program.BroadcastTrigger, *program.ScheduleTrigger:
	}
	m.trace.Note(a)
}

// runningStreak is how many events of a streak follow each other at present.
func runningStreak(c *customer.Customer, p *program.Program, t *program.StreakTrigger) (run int) {
	for i := range c.Streaks {
		if s := &c.Streaks[i]; s.Campaign == p.Name && s.Spec == t.Spec {
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

// valueBefore is the value of a threshold before the current record.
func (m *Machine) valueBefore(p *program.Program) trace.Fact {
	if before := m.seenBefore(p); before.known {
		return trace.FloatFact("before", before.value)
	}
	return trace.Fact{Name: "before"}
}

func (m *Machine) wasInside(p *program.Program, t *program.SegmentTrigger) bool {
	if l := m.c.Level(p.Name); l != nil && l.Spec == t.Spec {
		return l.On
	}
	return m.seenBefore(p).value == 1
}

func (m *Machine) isInside(t *program.SegmentTrigger) bool {
	inside, _ := t.When.Holds(m.scope)
	return inside
}

// tracePlanned notes for when a date trigger is armed.
func (m *Machine) tracePlanned(p *program.Program, t *program.DateTrigger) {
	a := m.exprFacts(trace.Row(p, nil, trace.RuleTrigger, trace.Note), t.Path)
	for i := range m.c.Dates {
		if w := &m.c.Dates[i]; w.Campaign == p.Name {
			a.Facts = append(a.Facts, trace.TimeFact("planned", w.Due))
		}
	}
	m.trace.Note(a)
}

// traceOffer notes that a trigger fired, and how old its event is.
func (m *Machine) traceOffer(p *program.Program, e *event.Event) {
	m.trace.Fires(p.Name)
	switch {
	case e == nil:
	case e.Historical:
		m.trace.Note(trace.Row(p, nil, trace.RuleHistorical, trace.No, trace.TruthFact("historical", true)))
	default:
		age := m.now - e.Time
		m.trace.Note(trace.Row(p, nil, trace.RuleAge, trace.AnswerOf(age <= p.MaxEventAge), trace.SpanFact("age", age),
			trace.SpanFact("at most", p.MaxEventAge)))
	}
}

// traceEntry notes what an entry is asked, in the order of enterIfAllowed, up to the
// rule that refuses it.
func (m *Machine) traceEntry(p *program.Program, trigger *event.Event) {
	if !m.traceOpen(p) {
		return
	}
	key, ok := m.key(p, trigger)
	if p.Reentry.Key != nil {
		current := m.scope.Event.Event
		m.scope.Event.Set(trigger)
		a := m.exprFacts(trace.Row(p, nil, trace.RuleKey, trace.AnswerOf(ok)), p.Reentry.Key)
		m.scope.Event.Set(current)
		m.trace.Note(a)
	}
	if !ok || !m.traceReentry(p, key) {
		return
	}
	if live := m.liveOf(p, key); len(live) > 0 && p.Reentry.OnActive.Replaces() {
		newest := live[len(live)-1]
		if m.beganLater(p, newest, trigger) {
			at, _ := m.startOf(p, trigger)
			m.trace.Note(trace.Row(p, newest, trace.RuleActive, trace.No, trace.TimeFact("event time", at),
				trace.TimeFact("the live chain began", newest.Start(event.DecodeBody(newest.Trigger)))))
			return
		}
		if p.Reentry.OnActive == program.RefreshLive {
			return
		}
	}
	if p.Audience != nil && !m.traceAudience(p, key) {
		return
	}
	if len(p.Goals) > 0 && !m.traceSeen(p, key, trigger, trace.RuleConverted) {
		return
	}
	if len(p.Stops) > 0 && !m.traceSeen(p, key, trigger, trace.RuleStopped) {
		return
	}
	if p.Policy.Group == "" {
		m.traceHoldout(p, key)
	}
}

// traceOpen notes whether a campaign takes entries at all at present.
func (m *Machine) traceOpen(p *program.Program) bool {
	if p.Status != program.StatusActive {
		m.trace.Note(trace.Row(p, nil, trace.RuleStatus, trace.No, trace.TextFact("status", p.Status.Word())))
		return false
	}
	if p.From == 0 && p.Until == 0 {
		return true
	}
	within := m.now >= p.From && (p.Until == 0 || m.now < p.Until)
	m.trace.Note(
		trace.Row(
			p,
			nil,
			trace.RulePeriod,
			trace.AnswerOf(within),
			trace.TimeFact("now", m.now),
			trace.TimeFact("from", p.From),
			trace.TimeFact("until", p.Until),
		),
	)
	return within
}

// traceReentry notes the re-entry rule and the room for live chains.
func (m *Machine) traceReentry(p *program.Program, key string) bool {
	keyed := p.Reentry.Key != nil
	reason := m.mayEnter(p, key)
	repeats := reason == output.ReasonOnce || reason == output.ReasonCooldown || reason == output.ReasonKeys
	mode := [...]string{program.Always: "always", program.Once: "once", program.Cooldown: "cooldown"}[p.Reentry.Mode]
	a := trace.Row(p, nil, trace.RuleReentry, trace.AnswerOf(!repeats), trace.TextFact("mode", mode))
	a.Key = key
	// Entries are told apart by key only where the rule needs that.
	past := m.c.Entry(p.Name, "", false)
	if keyed && p.Reentry.Mode != program.Always {
		past = m.c.Entry(p.Name, key, true)
	}
	a.Facts = append(a.Facts, pastFacts(p, past)...)
	m.trace.Note(a)
	if repeats {
		return false
	}
	all := 0
	for _, ch := range m.c.Chains {
		if ch.Live() {
			all++
		}
	}
	onActive := [...]string{
		program.IgnoreNew:   "ignore",
		program.RestartLive: "restart",
		program.RefreshLive: "refresh",
		program.Parallel:    "parallel",
	}
	a = trace.Row(
		p,
		nil,
		trace.RuleActive,
		trace.AnswerOf(reason == output.NoReason),
		trace.NumberFact("live chains of the key", len(m.liveOf(p, key))),
		trace.NumberFact("max_active", p.Reentry.MaxActive),
		trace.TextFact("on_active", onActive[p.Reentry.OnActive]),
	)
	if a.Key = key; all >= customer.MaxLiveChains {
		a.Facts = append(
			a.Facts,
			trace.NumberFact("live chains in all", all),
			trace.NumberFact("at most", customer.MaxLiveChains),
		)
	}
	m.trace.Note(a)
	return reason == output.NoReason
}

// pastFacts are what is known of earlier entries; nil: there were none.
func pastFacts(p *program.Program, past *customer.Entry) []trace.Fact {
	if past == nil || past.Number == 0 {
		return []trace.Fact{trace.NumberFact("entries", 0)}
	}
	facts := []trace.Fact{trace.NumberFact("entries", past.Number), trace.TimeFact("last entry", past.LastIn)}
	if p.Reentry.Mode != program.Cooldown {
		return facts
	}
	from := past.LastIn
	if p.Reentry.FromExit {
		from = past.LastOut
		facts = append(facts, trace.TimeFact("last exit", from))
	}
	if from != 0 {
		facts = append(facts, trace.TimeFact("cooldown until", from+p.Reentry.Cooldown))
	}
	return facts
}

func (m *Machine) traceAudience(p *program.Program, key string) bool {
	holds, _ := p.Audience.Holds(m.scope)
	a := m.exprFacts(trace.Row(p, nil, trace.RuleAudience, trace.AnswerOf(holds)), p.Audience)
	a.Key = key
	m.trace.Note(a)
	return holds
}

// traceSeen notes the goal event (already_converted) or stop event (already_stopped) that
// happened after the trigger, if one was seen.
func (m *Machine) traceSeen(p *program.Program, key string, trigger *event.Event, rule trace.Rule) bool {
	a := trace.Row(p, nil, rule, trace.Yes)
	a.Key = key
	after, word := m.asksAfter(p, trigger), "trigger event time"
	if trigger == nil {
		word = "planned"
	}
	a.Facts = append(a.Facts, trace.TimeFact(word, after))
	ask := func(about string, match *program.Matcher) bool {
		var found *event.Event
		m.quietly(func() { found = m.seenAfter(after, match, p.Name) })
		if found != nil {
			a.Answer, a.About = trace.No, about
			a.Facts = append(a.Facts, trace.TextFact("event", found.Name), trace.TextFact("event id", found.ID),
				trace.TimeFact("event time", found.Time))
		}
		return found != nil
	}
	for i := range p.Goals {
		if rule == trace.RuleConverted && ask(p.Goals[i].ID, &p.Goals[i].Match) {
			break
		}
	}
	for i := range p.Stops {
		if rule == trace.RuleStopped && ask(p.Stops[i].Event, &p.Stops[i]) {
			break
		}
	}
	m.trace.Note(a)
	return a.Answer == trace.Yes
}

// traceHoldout notes in which part of the customers this one is.
func (m *Machine) traceHoldout(p *program.Program, key string) {
	h := p.Policy.Holdout
	if h == nil {
		return
	}
	salt := h.Salt
	if salt == "" {
		salt = p.Name
	}
	// A held-out customer enters all the same: the answer says whether messages are sent.
	a := trace.Row(
		p,
		nil,
		trace.RuleHoldout,
		trace.AnswerOf(!p.HoldsOut(m.c.ID)),
		trace.NumberFact("bucket", program.Bucket(salt, m.c.ID)),
		trace.NumberFact("held out below", h.Below),
	)
	a.Key = key
	m.trace.Note(a)
}

// traceGroup notes whether the group lets a candidate in.
func (m *Machine) traceGroup(p *program.Program, key string) {
	if m.mayEnter(p, key) != output.NoReason {
		m.traceReentry(p, key)
		return
	}
	lower, rival := m.rivals(p, key)
	a := trace.Row(p, nil, trace.RuleGroup, trace.AnswerOf(rival == nil), trace.TextFact("group", p.Policy.Group),
		trace.NumberFact("priority", p.Policy.Priority))
	a.Key = key
	if rival != nil {
		a.Facts = append(a.Facts, m.memberFacts("live", rival)...)
	}
	for _, ch := range lower {
		a.Facts = append(a.Facts, m.memberFacts("preempts", ch)...)
	}
	m.trace.Note(a)
	if rival == nil {
		m.traceHoldout(p, key)
	}
}

func (m *Machine) memberFacts(name string, ch *customer.Chain) []trace.Fact {
	facts := []trace.Fact{trace.TextFact(name, ch.Campaign)}
	if q := m.set.ByName[ch.Campaign]; q != nil {
		facts = append(facts, trace.NumberFact("its priority", q.Policy.Priority))
	}
	return facts
}

// traceVisit notes the audience of a broadcast or a schedule.
func (m *Machine) traceVisit(p *program.Program, audience *expr.Expr) {
	a := trace.Row(p, nil, trace.RuleTrigger, trace.Yes)
	if audience != nil {
		holds, _ := audience.Holds(m.scope)
		a.Answer = trace.AnswerOf(holds)
	}
	m.trace.Note(m.exprFacts(a, audience))
}
