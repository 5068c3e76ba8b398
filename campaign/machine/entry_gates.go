package machine

import (
	"slices"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
)

// entryQuestion asks whether a trigger may start a chain now. The gates of an entry read it, and keep
// in it what later gates, notes and the entry itself need.
type entryQuestion struct {
	es      *entries
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

// askGroup asks again whether there is room, since other candidates of the instant can have taken
// it, and then the group. Re-entry is explained only where it refuses now: that it allowed the
// entry stands in the trace already.
func (q *entryQuestion) askGroup() refusal {
	explain := q.es.trace != nil
	if r := ask(reentryGates, q, false); r.reason != output.NoReason {
		if explain {
			ask(reentryGates, q, true)
		}
		return r
	}
	return ask(groupGates, q, explain)
}

// note writes a row about the entry to the trace.
func (q *entryQuestion) note(rule trace.Rule, said trace.Answer, facts ...trace.Fact) {
	a := trace.Row(q.program, nil, rule, said, facts...)
	a.Key = q.key
	q.es.trace.Note(a)
}

// isDated reports whether an occurrence of a date asks.
func isDated(q *entryQuestion) bool { return q.dated }

// refusesMissed refuses an occurrence of a date that is further past than catch_up.
func refusesMissed(q *entryQuestion) refusal {
	t, ok := q.program.Trigger.(*program.DateTrigger)
	return refuseIf(ok && q.es.now-q.es.planned > t.CatchUp, output.ReasonMissed, "")
}

// noteMissed notes by how much the occurrence is late, where that is too much.
func noteMissed(q *entryQuestion, rule trace.Rule, r refusal) {
	if t, ok := q.program.Trigger.(*program.DateTrigger); ok && r.reason != output.NoReason {
		q.note(rule, trace.No, trace.TimeFact("due", q.es.planned), trace.TimeFact("now", q.es.now),
			trace.SpanFact("catch_up", t.CatchUp))
	}
}

// isLateEntry reports whether the timer that asks fired more than lateAfter late.
func isLateEntry(q *entryQuestion) bool { return q.es.late }

// refusesLateEntry refuses what a late timer would start, if the campaign says "late: exit".
func refusesLateEntry(q *entryQuestion) refusal {
	return refuseIf(q.program.Late == program.LateExit, output.ReasonLate, "")
}

// noteLateEntry notes when the timer was due, where that refuses the entry.
func noteLateEntry(q *entryQuestion, rule trace.Rule, r refusal) {
	if r.reason != output.NoReason {
		q.note(rule, trace.No, trace.TimeFact("due", q.es.planned), trace.TimeFact("now", q.es.now))
	}
}

// isAged reports whether a record asks; only records have an age.
func isAged(q *entryQuestion) bool { return q.aged }

// refusesHistorical refuses records that were imported from before the engine was in use.
func refusesHistorical(q *entryQuestion) refusal {
	return refuseIf(q.historical, output.ReasonHistorical, "")
}

// noteHistorical notes that the record is historical, where it is.
func noteHistorical(q *entryQuestion, rule trace.Rule, r refusal) {
	if r.reason != output.NoReason {
		q.note(rule, trace.No, trace.TruthFact("historical", true))
	}
}

// refusesOld refuses a record that was older than the campaign's max_event_age when it came.
func refusesOld(q *entryQuestion) refusal {
	return refuseIf(q.es.came-q.since > q.program.MaxEventAge, output.ReasonTooOld, "")
}

// noteAge notes the age of the record and its limit.
func noteAge(q *entryQuestion, rule trace.Rule, r refusal) {
	q.note(rule, r.answer(), trace.SpanFact("age", q.es.came-q.since), trace.SpanFact("at most", q.program.MaxEventAge))
}

// refusesInactive refuses entries of a campaign that is not active. A paused one may keep them, as far
// as there is a trigger to keep and room for it; the others are refused as paused.
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
		queue:  p.Pause.Queue && q.trigger != nil && len(q.es.c.Queue) < maxQueued,
	}
}

// noteStatus notes the campaign's status, where that refuses the entry.
func noteStatus(q *entryQuestion, rule trace.Rule, r refusal) {
	if r.reason != output.NoReason {
		q.note(rule, trace.No, trace.TextFact("status", q.program.Status.Word()))
	}
}

// hasPeriod reports whether the campaign takes customers only from or until some time.
func hasPeriod(q *entryQuestion) bool { return q.program.From != 0 || q.program.Until != 0 }

// refusesPeriod refuses entries outside of the campaign's period [from, until), by the log's time.
func refusesPeriod(q *entryQuestion) refusal {
	p, now := q.program, q.es.now
	return refuseIf(now < p.From || p.Until != 0 && now >= p.Until, output.ReasonPeriod, "")
}

// notePeriod notes the present time and the period.
func notePeriod(q *entryQuestion, rule trace.Rule, r refusal) {
	q.note(rule, r.answer(), trace.TimeFact("now", q.es.now), trace.TimeFact("from", q.program.From),
		trace.TimeFact("until", q.program.Until))
}

// hasAudience reports whether the audience is asked. A refresh keeps a chain whose customer was in it.
func hasAudience(q *entryQuestion) bool { return q.program.Audience != nil && !q.refreshes() }

// refusesAudience refuses customers outside of the audience.
func refusesAudience(q *entryQuestion) refusal {
	return refuseIf(!q.es.inAudience(q.program, q.program.Audience, q.trigger), output.ReasonAudience, "")
}

// noteAudience notes the audience and the values that it read.
func noteAudience(q *entryQuestion, rule trace.Rule, r refusal) {
	a := trace.Row(q.program, nil, rule, r.answer())
	a.Key = q.key
	q.es.trace.Note(q.es.audienceFacts(a, q.program.Audience, q.trigger))
}

// hasGoals reports whether a goal can have been reached before a chain would start.
func hasGoals(q *entryQuestion) bool { return len(q.program.Goals) > 0 && !q.refreshes() }

// refusesConverted refuses an entry after whose trigger a goal was reached already: events come out of
// order, and the goal may have come first.
func refusesConverted(q *entryQuestion) refusal {
	for i := range q.program.Goals {
		if g := &q.program.Goals[i]; q.sees(g.ID, &g.Match) {
			return refusal{reason: output.ReasonConverted}
		}
	}
	return refusal{}
}

// hasStops reports whether a stop event can have come before a chain would start.
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

// sees reports whether a remembered event that a matcher accepts happened after the trigger. It keeps
// the first such event, and about, for the note.
func (q *entryQuestion) sees(about string, match *program.Matcher) bool {
	q.about = about
	q.seen = q.es.seenAfter(match, q.program.Name, q.es.asksAfter(q.program, q.trigger))
	return q.seen != nil
}

// seenAfter returns the first remembered event that a matcher accepts and that happened after an
// instant (ms); nil when there is none.
func (es *entries) seenAfter(match *program.Matcher, campaign string, at int64) *event.Event {
	e, _ := es.matching.seen(match, campaign, func(_ *customer.RecentEvent, e *event.Event) bool { return e.Time > at })
	return e
}

// noteSeen writes into the trace after which time an event keeps the customer from entering, and,
// where one did, that event.
func noteSeen(q *entryQuestion, rule trace.Rule, r refusal) {
	word := "trigger event time"
	if q.trigger == nil {
		word = "planned"
	}
	a := trace.Row(q.program, nil, rule, r.answer(), trace.TimeFact(word, q.es.asksAfter(q.program, q.trigger)))
	if a.Key = q.key; r.reason != output.NoReason {
		a.About = q.about
		a.Facts = append(a.Facts, trace.TextFact("event", q.seen.Name), trace.TextFact("event id", q.seen.ID),
			trace.TimeFact("event time", q.seen.Time))
	}
	q.es.trace.Note(a)
}

// entersAlone reports whether the campaign belongs to no group; with a group, its gates note the holdout.
func entersAlone(q *entryQuestion) bool { return q.program.Policy.Group == "" && !q.refreshes() }

// refusesNobody is the check of a gate that only informs.
func refusesNobody(*entryQuestion) refusal { return refusal{} }

// noteHoldout notes whether the customer is in the control group. They enter all the same, and what
// they would be sent is recorded as ghosts: the answer says whether messages are sent.
func noteHoldout(q *entryQuestion, rule trace.Rule, _ refusal) {
	p, h := q.program, q.program.Policy.Holdout
	if h == nil {
		return
	}
	salt := h.Salt
	if salt == "" {
		salt = p.Name
	}
	q.note(rule, trace.AnswerOf(!p.HoldsOut(q.es.c.ID)), trace.NumberFact("bucket", program.Bucket(salt, q.es.c.ID)),
		trace.NumberFact("held out below", h.Below))
}
