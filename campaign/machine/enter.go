package machine

import (
	"cmp"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
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

// startChain starts a chain. With on_active: restart it takes the place of the newest chain of its
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

// refuse writes that a trigger matched and no chain starts, for a reason that is no gate's: what the
// trigger counts is not known, or cannot be kept.
func (rs *rows) refuse(p *program.Program, reason output.Reason) {
	rs.decide(output.Decision{Campaign: p.Name, Version: p.Version, Kind: output.Refused, Reason: reason})
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
// be remembered. Keys of mode once are never dropped: they would let the customer in again.
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

// refuseEntry writes that a gate refused the entry.
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
