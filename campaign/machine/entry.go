package machine

import (
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
	"github.com/nudge-engine/nudge/internal/clip"
)

// recordedAtEntry returns one more than the number of the last event in the customer's rings when a chain
// enters now: of the events in the trigger's own millisecond, a wait "since: entry" sees only those
// with this number or a later one. The record being applied, which starts the chain, does not count.
func (es *entries) recordedAtEntry() uint64 {
	last := es.c.Recorded
	if es.recording {
		last++
	}
	return last + 1
}

// startOf returns the start (ms) of a chain that would begin now, and whether that is a planned instant
// instead of the trigger's time. A chain's start is the time before which events are none of its
// business. The trigger of an inactivity is the last event before the silence, too early for a start.
func (es *entries) startOf(p *program.Program, trigger *event.Event) (at int64, byTime bool) {
	if _, silence := p.Trigger.(*program.InactivityTrigger); trigger != nil && !silence {
		return trigger.Time, false
	}
	if es.silence != 0 {
		return es.silence, true
	}
	if es.planned != 0 {
		return min(es.planned, es.now), true
	}
	return es.now, true
}

// asksAfter returns the event time (ms) after which goals and stops that came already concern a
// chain that would begin now: that of its trigger or, where there is none, the planned instant.
func (es *entries) asksAfter(p *program.Program, trigger *event.Event) int64 {
	if trigger != nil {
		return trigger.Time
	}
	at, _ := es.startOf(p, nil)
	return at
}

// noteStart keeps the start of a chain that begins now, or takes a new trigger, in StartedAt; 0 where
// the trigger event tells it already.
func (es *entries) noteStart(p *program.Program, ch *customer.Chain, trigger *event.Event) {
	at, byTime := es.startOf(p, trigger)
	if ch.StartedAt = 0; byTime && ch.Start(trigger) != at {
		ch.StartedAt = at
	}
}

// beganLater reports whether a chain began with something newer than the trigger that would now
// replace it. Events come out of order: an old one must not take the place of a newer one.
func (es *entries) beganLater(p *program.Program, ch *customer.Chain, trigger *event.Event) bool {
	at, _ := es.startOf(p, trigger)
	return at < ch.Start(event.DecodeBody(ch.Trigger))
}

// key evaluates the re-entry key over the trigger event; ok is false when it has no value. Without a
// key rule all entries of the campaign have the empty key. Keys are cut to 256 bytes.
func (es *entries) key(p *program.Program, trigger *event.Event) (key string, ok bool) {
	if p.Reentry.Key == nil {
		return "", true
	}
	current := es.scope.Event.Event
	es.scope.Event.Set(trigger)
	key, ok = es.identifier(p.Reentry.Key)
	es.scope.Event.Set(current)
	return clip.Text(key, 256), ok
}

// at sets the re-entry key that the question is about, and finds its live chains.
func (q *entryQuestion) at(key string) {
	q.key, q.live = key, q.es.appendLive(q.live[:0], q.program, key)
}

// newest returns the live chain of the key that entered last.
//
// REQUIRES: one is live.
func (q *entryQuestion) newest() *customer.Chain { return q.live[len(q.live)-1] }

// refreshes reports whether the trigger refreshes a live chain instead of starting one. While a group
// is settled it is false: a refresh never waits for its group.
func (q *entryQuestion) refreshes() bool {
	return len(q.live) > 0 && q.program.Reentry.OnActive == program.RefreshLive && !q.settling
}

// refusesNoKey finds the key, and refuses an entry whose key cannot be evaluated.
func refusesNoKey(q *entryQuestion) refusal {
	key, ok := q.es.key(q.program, q.trigger)
	if !ok {
		return refusal{reason: output.ReasonKey}
	}
	q.at(key)
	return refusal{}
}

// noteKey notes the expression of the key and what it read, if the campaign has one.
func noteKey(q *entryQuestion, rule trace.Rule, r refusal) {
	if q.program.Reentry.Key == nil {
		return
	}
	scope := q.es.scope
	current := scope.Event.Event
	scope.Event.Set(q.trigger)
	a := q.es.exprFacts(trace.Row(q.program, nil, rule, r.answer()), q.program.Reentry.Key)
	scope.Event.Set(current)
	q.es.trace.Note(a)
}

// replaces reports whether the entry would take the place of a live chain, or refresh it.
func replaces(q *entryQuestion) bool { return len(q.live) > 0 && q.program.Reentry.OnActive.Replaces() }

// refusesOlder refuses a trigger that is older than that of the chain which it would replace.
func refusesOlder(q *entryQuestion) refusal {
	return refuseIf(q.es.beganLater(q.program, q.newest(), q.trigger), output.ReasonActive, "")
}

// noteOlder notes both starts, only where the trigger is the older one.
func noteOlder(q *entryQuestion, rule trace.Rule, r refusal) {
	if r.reason == output.NoReason {
		return
	}
	at, _ := q.es.startOf(q.program, q.trigger)
	began := q.newest().Start(event.DecodeBody(q.newest().Trigger))
	q.es.trace.Note(trace.Row(q.program, q.newest(), rule, trace.No, trace.TimeFact("event time", at),
		trace.TimeFact("the live chain began", began)))
}

// refusesReentry applies the re-entry mode: once and cooldown look at the last entry of the key. It
// also refuses a key for which there is no room. A refresh is no entry, so it passes.
func refusesReentry(q *entryQuestion) refusal {
	m, p := q.es, q.program
	if q.refreshes() {
		return refusal{}
	}
	keyed := p.Reentry.Key != nil
	if past := m.c.Entry(p.Name, q.key, keyed); past != nil && past.Number > 0 {
		switch p.Reentry.Mode {
		case program.Always:
		case program.Once:
			return refusal{reason: output.ReasonOnce}
		case program.Cooldown:
			if m.coolingDown(p, q.key, past) {
				return refusal{reason: output.ReasonCooldown}
			}
		}
	}
	full := keyed && p.Reentry.Mode != program.Always && m.c.Entry(p.Name, q.key, true) == nil && !m.roomForKey(p)
	return refuseIf(full, output.ReasonKeys, "")
}

// noteReentry notes the mode and what is known of earlier entries.
func noteReentry(q *entryQuestion, rule trace.Rule, r refusal) {
	m, p := q.es, q.program
	mode := [...]string{program.Always: "always", program.Once: "once", program.Cooldown: "cooldown"}[p.Reentry.Mode]
	// Entries are told apart by key only where the rule needs that.
	past := m.c.Entry(p.Name, "", false)
	if p.Reentry.Key != nil && p.Reentry.Mode != program.Always {
		past = m.c.Entry(p.Name, q.key, true)
	}
	q.note(rule, r.answer(), append([]trace.Fact{trace.TextFact("mode", mode)}, pastFacts(p, past)...)...)
}

// pastFacts returns what is known of earlier entries, past nil: there were none.
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

// refusesActive applies the limits on live chains: of the key (max_active) and of the customer.
func refusesActive(q *entryQuestion) refusal {
	if q.refreshes() {
		return refusal{}
	}
	reentry, live := &q.program.Reentry, len(q.live)
	adds := live == 0 || !reentry.OnActive.Replaces()
	switch {
	case !reentry.OnActive.Replaces() && live >= reentry.MaxActive:
		return refusal{reason: output.ReasonActive}
	case adds && q.es.liveChains() >= customer.MaxLiveChains:
		return refusal{reason: output.ReasonTooMany}
	}
	return refusal{}
}

// noteActive notes how many chains of the key are live and what on_active says about them.
func noteActive(q *entryQuestion, rule trace.Rule, r refusal) {
	reentry := &q.program.Reentry
	onActive := [...]string{
		program.IgnoreNew:   "ignore",
		program.RestartLive: "restart",
		program.RefreshLive: "refresh",
		program.Parallel:    "parallel",
	}[reentry.OnActive]
	facts := []trace.Fact{
		trace.NumberFact("live chains of the key", len(q.live)),
		trace.NumberFact("max_active", reentry.MaxActive),
		trace.TextFact("on_active", onActive),
	}
	if all := q.es.liveChains(); all >= customer.MaxLiveChains {
		facts = append(facts, trace.NumberFact("live chains in all", all),
			trace.NumberFact("at most", customer.MaxLiveChains))
	}
	q.note(rule, r.answer(), facts...)
}

// liveChains returns the number of the customer's live chains, of all campaigns.
func (es *entries) liveChains() (n int) {
	for _, ch := range es.c.Chains {
		if ch.Live() {
			n++
		}
	}
	return n
}

// appendLive appends the live chains of a campaign and key to live, by entry number.
func (es *entries) appendLive(live []*customer.Chain, p *program.Program, key string) []*customer.Chain {
	for _, ch := range es.c.Chains {
		if ch.Campaign == p.Name && ch.Key == key && ch.Live() {
			live = append(live, ch)
		}
	}
	return live
}

// entry begins the question whether a trigger may start a chain. The question is the part's only one:
// it is valid until the next call.
func (es *entries) entry(p *program.Program, trigger *event.Event) *entryQuestion {
	es.entering = entryQuestion{es: es, program: p, trigger: trigger, live: es.entering.live[:0]}
	return &es.entering
}
