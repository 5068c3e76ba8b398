package machine

import (
	"slices"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
)

// entryQuestion asks whether a trigger may start a chain now.
type entryQuestion struct {
	m       *Machine
	program *program.Program
	trigger *event.Event // nil: a timer or a change of the profile, without an event

	dated      bool  // an occurrence of a date asks: catch_up limits how late it is
	aged       bool  // a record asks: its age is limited
	since      int64 // when what the trigger tells of happened, ms; if aged
	historical bool  // the record is marked historical
	settling   bool  // the entry was allowed, and its group is settled now

	// What the gates find.
	key      string
	live     []*customer.Chain // of the key, by entry number
	seen     *event.Event      // the goal or stop event that came after the trigger
	about    string            // what seen is: a goal's id or the event of a stop
	preempts []*customer.Chain // chains of the group that the entry ends
	rival    *customer.Chain   // chain of the group that it may not end
}

// entryGates are the gates of an entry, in the order of docs/reference/entry.md.
//
//nudge:constant read only
var entryGates = slices.Concat(
	arrivalGates, openGates, keyGates, reentryGates, audienceGates, seenGates, holdoutGates,
)

// The parts of entryGates. Those that need no event are also asked without one, to explain what an
// entry would meet at present. groupGates are asked later: when all triggers of the instant have
// been looked at, so that the highest priority wins.
//
//nudge:constant read only
var (
	arrivalGates = []gate[entryQuestion]{
		{trace.RuleLate, reasons{output.ReasonMissed}, isDated, refusesMissed, noteMissed},
		{trace.RuleLate, reasons{output.ReasonLate}, isLateEntry, refusesLateEntry, noteLateEntry},
		{trace.RuleHistorical, reasons{output.ReasonHistorical}, isAged, refusesHistorical, noteHistorical},
		{trace.RuleAge, reasons{output.ReasonTooOld}, isAged, refusesOld, noteAge},
	}
	openGates = []gate[entryQuestion]{
		{trace.RuleStatus, reasons{output.ReasonPaused, output.ReasonInactive}, nil, refusesInactive, noteStatus},
		{trace.RulePeriod, reasons{output.ReasonPeriod}, hasPeriod, refusesPeriod, notePeriod},
	}
	keyGates = []gate[entryQuestion]{
		{trace.RuleKey, reasons{output.ReasonKey}, nil, refusesNoKey, noteKey},
		{trace.RuleActive, reasons{output.ReasonActive}, replaces, refusesOlder, noteOlder},
	}
	reentryGates = []gate[entryQuestion]{
		{
			trace.RuleReentry,
			reasons{output.ReasonOnce, output.ReasonCooldown, output.ReasonKeys},
			nil,
			refusesReentry,
			noteReentry,
		},
		{trace.RuleActive, reasons{output.ReasonActive, output.ReasonTooMany}, nil, refusesActive, noteActive},
	}
	audienceGates = []gate[entryQuestion]{
		{trace.RuleAudience, reasons{output.ReasonAudience}, hasAudience, refusesAudience, noteAudience},
	}
	seenGates = []gate[entryQuestion]{
		{trace.RuleConverted, reasons{output.ReasonConverted}, hasGoals, refusesConverted, noteSeen},
		{trace.RuleStopped, reasons{output.ReasonStopped}, hasStops, refusesStopped, noteSeen},
	}
	holdoutGates = []gate[entryQuestion]{
		{trace.RuleHoldout, nil, entersAlone, refusesNobody, noteHoldout},
	}
	groupGates = []gate[entryQuestion]{
		{trace.RuleGroup, reasons{output.ReasonGroup}, nil, refusesGroup, noteGroup},
		{trace.RuleHoldout, nil, nil, refusesNobody, noteHoldout},
	}
)

// entry begins the question whether a trigger may start a chain. It is valid until the next
// question.
func (m *Machine) entry(p *program.Program, trigger *event.Event) *entryQuestion {
	m.entering = entryQuestion{m: m, program: p, trigger: trigger, live: m.entering.live[:0]}
	return &m.entering
}

// enterIfAllowed asks the gates of an entry. What they let pass starts a chain, refreshes a live
// one, or waits until its group is settled.
func (m *Machine) enterIfAllowed(q *entryQuestion) {
	p, trigger := q.program, q.trigger
	r := ask(entryGates, q, m.trace != nil)
	switch {
	case r.queue:
		m.queueEntry(p, trigger)
	case r.reason != output.NoReason:
		m.refuseEntry(q, r)
	case q.refreshes(): // no entry: neither mode nor cooldown count it
		m.refresh(p, q.newest(), trigger)
	case p.Policy.Group != "":
		m.candidates = append(m.candidates, candidate{p, q.key, trigger, m.planned, m.silence, m.late, m.cause})
	default:
		m.startChain(p, q.key, trigger)
	}
}

// askGroup asks again whether there is room, since other candidates of the instant can have taken
// it, and then the group. Re-entry is explained only where it refuses now: that it allowed the
// entry stands in the trace already.
func (q *entryQuestion) askGroup() refusal {
	explain := q.m.trace != nil
	if r := ask(reentryGates, q, false); r.reason != output.NoReason {
		if explain {
			ask(reentryGates, q, true)
		}
		return r
	}
	return ask(groupGates, q, explain)
}

func (m *Machine) refuseEntry(q *entryQuestion, r refusal) {
	m.decide(output.Decision{
		Campaign: q.program.Name, Version: q.program.Version, Key: q.key,
		Kind: output.Refused, Reason: r.reason, Detail: r.detail,
	})
}

// note writes a row about the entry to the trace.
func (q *entryQuestion) note(rule trace.Rule, said trace.Answer, facts ...trace.Fact) {
	a := trace.Row(q.program, nil, rule, said, facts...)
	a.Key = q.key
	q.m.trace.Note(a)
}

func isDated(q *entryQuestion) bool { return q.dated }

// refusesMissed refuses an occurrence of a date that is further past than catch_up.
func refusesMissed(q *entryQuestion) refusal {
	t, ok := q.program.Trigger.(*program.DateTrigger)
	return refuseIf(ok && q.m.now-q.m.planned > t.CatchUp, output.ReasonMissed, "")
}

func noteMissed(q *entryQuestion, rule trace.Rule, r refusal) {
	if t, ok := q.program.Trigger.(*program.DateTrigger); ok && r.reason != output.NoReason {
		q.note(rule, trace.No, trace.TimeFact("due", q.m.planned), trace.TimeFact("now", q.m.now),
			trace.SpanFact("catch_up", t.CatchUp))
	}
}

func isLateEntry(q *entryQuestion) bool { return q.m.late }

func refusesLateEntry(q *entryQuestion) refusal {
	return refuseIf(q.program.Late == program.LateExit, output.ReasonLate, "")
}

func noteLateEntry(q *entryQuestion, rule trace.Rule, r refusal) {
	if r.reason != output.NoReason {
		q.note(rule, trace.No, trace.TimeFact("due", q.m.planned), trace.TimeFact("now", q.m.now))
	}
}

func isAged(q *entryQuestion) bool { return q.aged }

func refusesHistorical(q *entryQuestion) refusal {
	return refuseIf(q.historical, output.ReasonHistorical, "")
}

func noteHistorical(q *entryQuestion, rule trace.Rule, r refusal) {
	if r.reason != output.NoReason {
		q.note(rule, trace.No, trace.TruthFact("historical", true))
	}
}

func refusesOld(q *entryQuestion) refusal {
	return refuseIf(q.m.came-q.since > q.program.MaxEventAge, output.ReasonTooOld, "")
}

func noteAge(q *entryQuestion, rule trace.Rule, r refusal) {
	q.note(rule, r.answer(), trace.SpanFact("age", q.m.came-q.since), trace.SpanFact("at most", q.program.MaxEventAge))
}

// refusesInactive refuses entries of a campaign that is not active; one that is paused may keep them.
func refusesInactive(q *entryQuestion) refusal {
	p := q.program
	switch {
	case p.Status == program.StatusActive:
		return refusal{}
	case p.Status != program.StatusPaused:
		return refusal{reason: output.ReasonInactive}
	}
	return refusal{
		reason: output.ReasonPaused,
		queue:  p.Pause.Queue && q.trigger != nil && len(q.m.c.Queue) < maxQueued,
	}
}

func noteStatus(q *entryQuestion, rule trace.Rule, r refusal) {
	if r.reason != output.NoReason {
		q.note(rule, trace.No, trace.TextFact("status", q.program.Status.Word()))
	}
}

func hasPeriod(q *entryQuestion) bool { return q.program.From != 0 || q.program.Until != 0 }

func refusesPeriod(q *entryQuestion) refusal {
	p, now := q.program, q.m.now
	return refuseIf(now < p.From || p.Until != 0 && now >= p.Until, output.ReasonPeriod, "")
}

func notePeriod(q *entryQuestion, rule trace.Rule, r refusal) {
	q.note(rule, r.answer(), trace.TimeFact("now", q.m.now), trace.TimeFact("from", q.program.From),
		trace.TimeFact("until", q.program.Until))
}

func hasAudience(q *entryQuestion) bool { return q.program.Audience != nil && !q.refreshes() }

func refusesAudience(q *entryQuestion) refusal {
	return refuseIf(!q.m.inAudience(q.program, q.program.Audience, q.trigger), output.ReasonAudience, "")
}

func noteAudience(q *entryQuestion, rule trace.Rule, r refusal) {
	a := trace.Row(q.program, nil, rule, r.answer())
	a.Key = q.key
	q.m.trace.Note(q.m.audienceFacts(a, q.program.Audience, q.trigger))
}

func hasGoals(q *entryQuestion) bool { return len(q.program.Goals) > 0 && !q.refreshes() }

// refusesConverted refuses an entry after whose trigger a goal was reached already.
func refusesConverted(q *entryQuestion) refusal {
	for i := range q.program.Goals {
		if g := &q.program.Goals[i]; q.sees(g.ID, &g.Match) {
			return refusal{reason: output.ReasonConverted}
		}
	}
	return refusal{}
}

func hasStops(q *entryQuestion) bool { return len(q.program.Stops) > 0 && !q.refreshes() }

// refusesStopped refuses an entry after whose trigger a stop event happened already.
func refusesStopped(q *entryQuestion) refusal {
	for i := range q.program.Stops {
		if stop := &q.program.Stops[i]; q.sees(stop.Event, stop) {
			return refusal{reason: output.ReasonStopped}
		}
	}
	return refusal{}
}

// sees looks for the first event that a matcher accepts and that happened after the trigger.
func (q *entryQuestion) sees(about string, match *program.Matcher) bool {
	q.about = about
	after := q.m.asksAfter(q.program, q.trigger)
	q.seen, _ = q.m.seen(match, q.program.Name, func(_ *customer.RecentEvent, e *event.Event) bool {
		return e.Time > after
	})
	return q.seen != nil
}

func noteSeen(q *entryQuestion, rule trace.Rule, r refusal) {
	word := "trigger event time"
	if q.trigger == nil {
		word = "planned"
	}
	a := trace.Row(q.program, nil, rule, r.answer(), trace.TimeFact(word, q.m.asksAfter(q.program, q.trigger)))
	if a.Key = q.key; r.reason != output.NoReason {
		a.About = q.about
		a.Facts = append(a.Facts, trace.TextFact("event", q.seen.Name), trace.TextFact("event id", q.seen.ID),
			trace.TimeFact("event time", q.seen.Time))
	}
	q.m.trace.Note(a)
}

// entersAlone reports whether an entry is of no group.
func entersAlone(q *entryQuestion) bool { return q.program.Policy.Group == "" && !q.refreshes() }

// refusesNobody is the check of a gate that only informs.
func refusesNobody(*entryQuestion) refusal { return refusal{} }

// noteHoldout notes whether the customer is in the control group. They enter all the same: the
// answer says whether messages are sent.
func noteHoldout(q *entryQuestion, rule trace.Rule, _ refusal) {
	p, h := q.program, q.program.Policy.Holdout
	if h == nil {
		return
	}
	salt := h.Salt
	if salt == "" {
		salt = p.Name
	}
	q.note(rule, trace.AnswerOf(!p.HoldsOut(q.m.c.ID)), trace.NumberFact("bucket", program.Bucket(salt, q.m.c.ID)),
		trace.NumberFact("held out below", h.Below))
}
