package machine

import (
	"cmp"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
	"github.com/nudge-engine/nudge/internal/clip"
)

// entries decides whether a trigger starts a chain: re-entry, audience, what the customer did
// already, the group.
type entries struct {
	*turn

	matching *matching
	sends    *sends
	chains   *chains

	// candidates wait for the end of the record, or of the timers of the instant, because of a group
	// only one of them may enter. It is empty between inputs.
	candidates []candidate
	entering   entryQuestion // the current one
	silence    int64         // the end of the silence that a pause kept and that is offered now, ms; 0: none
}

// begin forgets the candidates of the input before.
func (es *entries) begin() { es.candidates, es.silence = es.candidates[:0], 0 }

// enterByTime asks whether a timer or a bulk task may start a chain. trigger is what expressions see
// as the trigger event; nil where there is none.
func (es *entries) enterByTime(p *program.Program, trigger *event.Event) {
	es.scope.Chain.Chain = nil
	es.scope.Trigger.Set(trigger)
	es.enterIfAllowed(es.entry(p, trigger))
}

// tryEnter asks whether a record may start a chain; e is nil where a timer changed the profile.
// Records may be too old or historical to start anything; what a timer finds is neither.
func (es *entries) tryEnter(p *program.Program, e *event.Event) {
	if es.trace != nil {
		es.trace.Fires(p.Name)
	}
	q := es.entry(p, e)
	if e != nil {
		q.aged, q.since, q.historical = true, e.Time, e.Historical
	}
	es.enterIfAllowed(q)
}

// inAudience reports whether the audience holds. When a timer or a task starts the chain there is no
// current record: "event" is the trigger then, as it is when the audience is asked again before a
// send.
func (es *entries) inAudience(p *program.Program, audience *expr.Expr, trigger *event.Event) bool {
	if es.scope.Event.Event != nil || trigger == nil {
		return es.holds(audience, p.Name)
	}
	es.scope.Event.Set(trigger)
	holds := es.holds(audience, p.Name)
	es.scope.Event.Set(nil)
	return holds
}

// audienceFacts completes a row of a trace with what inAudience compared; audience may be nil.
func (es *entries) audienceFacts(a trace.RuleResult, audience *expr.Expr, trigger *event.Event) trace.RuleResult {
	if es.scope.Event.Event == nil && trigger != nil {
		es.scope.Event.Set(trigger)
		defer es.scope.Event.Set(nil)
	}
	return es.exprFacts(a, audience)
}

// startChain starts a chain. With "on_active: restart" it takes the place of the newest chain of its
// key, which ends first.
func (es *entries) startChain(p *program.Program, key string, trigger *event.Event) {
	live := es.liveOf(p, key)
	if len(live) > 0 && p.Reentry.OnActive == program.RestartLive {
		es.out.decideChain(live[len(live)-1], output.Restarted, output.ReasonRestarted, "", "")
		es.chains.end(live[len(live)-1], output.Stopped, output.ReasonRestarted, "")
	}
	es.enter(p, key, trigger)
}

// enter makes the chain, gives it the next entry number, counts the entry for the re-entry rule, and
// lets it run when the input was looked at in full. Entries are counted by key only where the
// re-entry rule asks for that, so that other campaigns keep no list of keys.
func (es *entries) enter(p *program.Program, key string, trigger *event.Event) {
	all := es.c.EnsureEntry(p.Name, "", false)
	all.Number++
	all.LastIn = es.now
	number := all.Number
	if p.Reentry.Key != nil && p.Reentry.Mode != program.Always {
		keyed := es.c.EnsureEntry(p.Name, key, true)
		keyed.Number++
		keyed.LastIn = es.now
	}
	ch := &customer.Chain{
		Campaign: p.Name, Version: p.Version, Entry: number, Key: key, EnteredAt: es.now,
		Step: p.Steps[0].ID, Opened: es.now, Outcome: output.Active, HeldOut: p.HoldsOut(es.c.ID),
	}
	if trigger != nil {
		ch.Trigger = trigger.AppendBody(nil)
	}
	es.noteStart(p, ch, trigger)
	if p.LooksBack() {
		ch.Behind = es.recordedAtEntry()
	}
	es.c.AddChain(ch)
	es.out.decideChain(ch, output.Entered, output.NoReason, "", "")
	es.out.chain(ch)
	es.chains.wake(ch)
}

// refresh gives a live chain the new trigger event and restarts the timer of its rest. Then it asks
// the chain about events that came already and happened after the new trigger.
//
// The chain goes by the version that it is pinned to, which may be another than p.
func (es *entries) refresh(p *program.Program, ch *customer.Chain, trigger *event.Event) {
	entered, after := ch.EntryStart(event.DecodeBody(ch.Trigger)), es.asksAfter(p, trigger)
	if trigger != nil {
		ch.Trigger = trigger.AppendBody(nil)
	}
	es.noteStart(p, ch, trigger)
	p = cmp.Or(es.set.ProgramOf(ch), p) // what it is pinned to
	if p.LooksBack() {
		ch.FirstStart = entered
	}
	if s, _ := p.Step(ch.Step); s != nil && ch.Due != 0 && !ch.Still {
		ch.Wake, ch.Opened = 0, es.now
		es.chains.restartTimer(p, s.Verb.Timer(), ch)
	}
	es.out.decideChain(ch, output.Refreshed, output.NoReason, ch.Step, "")
	if es.trace != nil {
		es.chains.explainRest(p, ch)
	}
	es.chains.recheckLater(ch, after)
}

// enterIfAllowed asks the gates of an entry. If they let it pass, it starts a chain, refreshes a live
// one, or waits until its group is settled.
func (es *entries) enterIfAllowed(q *entryQuestion) {
	p, trigger := q.program, q.trigger
	r := ask(entryGates, q, es.trace != nil)
	switch {
	case r.queue:
		es.queueEntry(p, trigger)
	case r.reason != output.NoReason:
		es.refuseEntry(q, r)
	case q.refreshes(): // no entry: neither mode nor cooldown count it
		es.refresh(p, q.newest(), trigger)
	case p.Policy.Group != "":
		es.candidates = append(es.candidates, candidate{p, q.key, trigger, es.planned, es.silence, es.late, es.cause})
	default:
		es.startChain(p, q.key, trigger)
	}
}

// roomForKey drops the keys of a campaign whose cooldown is over, and reports whether another key can
// be remembered. Keys of mode "once" are never dropped: without them the customer could enter again.
func (es *entries) roomForKey(p *program.Program) bool {
	kept, n := es.c.Entries[:0], 0
	for _, e := range es.c.Entries {
		if e.Campaign == p.Name && e.Keyed {
			over := p.Reentry.Mode == program.Cooldown && !es.coolingDown(p, e.Key, &e) && len(es.liveOf(p, e.Key)) == 0
			if over {
				continue
			}
			n++
		}
		kept = append(kept, e)
	}
	es.c.Entries = kept
	return n < customer.MaxKeys
}

// coolingDown reports whether the cooldown after the entry past is still running; an entry exactly
// its length later is allowed. A cooldown "from exit" runs as long as a chain of the key is live.
func (es *entries) coolingDown(p *program.Program, key string, past *customer.Entry) bool {
	if !p.Reentry.FromExit {
		return es.now < past.LastIn+p.Reentry.Cooldown
	}
	if len(es.liveOf(p, key)) > 0 {
		return true
	}
	return es.now < past.LastOut+p.Reentry.Cooldown
}

// liveOf returns the live chains of a campaign and key, by entry number.
func (es *entries) liveOf(p *program.Program, key string) []*customer.Chain {
	return es.appendLive(nil, p, key)
}

// refuseEntry writes the decision that a gate (see gate) refused the entry, and why.
func (es *entries) refuseEntry(q *entryQuestion, r refusal) {
	es.out.decide(output.Decision{
		Campaign: q.program.Name, Version: q.program.Version, Key: q.key,
		Kind: output.Refused, Reason: r.reason, Detail: r.detail,
	})
}

// queueEntry keeps the trigger of an entry until its paused campaign is active again, see release.
func (es *entries) queueEntry(p *program.Program, trigger *event.Event) {
	es.c.Queue = append(es.c.Queue, customer.Queued{Campaign: p.Name, Trigger: trigger.AppendBody(nil)})
	es.out.decide(output.Decision{
		Campaign: p.Name, Version: p.Version, Kind: output.Queued, Reason: output.ReasonPaused,
	})
}

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
	// A timer that is late began what it starts when it was due.
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
	// Keys are written over event or trigger; at an entry both are the same event.
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
	// An entry that replaces a chain adds none.
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
