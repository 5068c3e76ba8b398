package machine

import (
	"sort"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
)

// candidate is an entry that waits until its group is settled, with the circumstances of its
// trigger, which are put back into the turn then. Candidates wait because the winner must not
// depend on the order in which triggers matched.
type candidate struct {
	program *program.Program
	key     string
	trigger *event.Event
	planned int64 // see turn.planned
	silence int64 // see entries.silence
	late    bool
	cause   cause
}

// hasCandidates reports whether an entry waits for its group to be settled.
func (es *entries) hasCandidates() bool { return len(es.candidates) > 0 }

// settleGroups lets the candidates of the record (or of the timers of the instant) in, the highest
// priority first, so that which of a group wins does not depend on the order in which they asked.
// A candidate whose campaign has a chain at a send stays until that is decided: the chain may end.
func (es *entries) settleGroups() {
	if len(es.candidates) == 0 {
		return
	}
	sort.SliceStable(es.candidates, func(i, j int) bool {
		a, b := es.candidates[i].program, es.candidates[j].program
		if a.Policy.Priority != b.Policy.Priority {
			return a.Policy.Priority > b.Policy.Priority
		}
		return a.Name < b.Name
	})
	var later []candidate
	for i := range es.candidates {
		c := &es.candidates[i]
		if es.sends.has(c.program.Name) {
			if c.cause > 0 { // what it leads to comes after that decision
				es.fired++
				c.cause = cause(es.fired)
			}
			later = append(later, *c)
			continue
		}
		// The turn is as it was when the trigger matched.
		es.planned, es.silence, es.late, es.cause = c.planned, c.silence, c.late, c.cause
		es.scope.Chain.Chain = nil
		es.scope.Trigger.Set(c.trigger)
		from := es.out.mark()
		es.settleGroup(c)
		es.silence = 0
		if c.cause > 0 { // else its rows are ordered with those of the triggers
			es.out.attribute(nil, from)
			es.chains.runReady()
		}
	}
	clear(es.candidates)
	es.candidates = append(es.candidates[:0], later...)
}

// settleGroup asks the gates of one candidate's group. The chains that it may end are ended before its
// own starts, so that at most one chain of a group is live.
func (es *entries) settleGroup(c *candidate) {
	q := es.entry(c.program, c.trigger)
	q.settling = true
	q.at(c.key)
	if r := q.askGroup(); r.reason != output.NoReason {
		es.refuseEntry(q, r)
		return
	}
	for _, ch := range q.preempts {
		// They end first: at most one chain of the group may be live.
		es.chains.end(ch, output.Preempted, output.ReasonPreempted, c.program.Name)
	}
	es.startChain(c.program, c.key, c.trigger)
}

// refusesGroup refuses an entry while a chain of the group is live that it may not end.
func refusesGroup(q *entryQuestion) refusal {
	q.preempts, q.rival = q.es.rivals(q.program, q.key)
	if q.rival == nil {
		return refusal{}
	}
	return refusal{reason: output.ReasonGroup, detail: q.rival.Campaign}
}

// noteGroup notes the group, the live chain that stands in the way, and those that would be ended.
func noteGroup(q *entryQuestion, rule trace.Rule, r refusal) {
	policy := &q.program.Policy
	facts := []trace.Fact{trace.TextFact("group", policy.Group), trace.NumberFact("priority", policy.Priority)}
	if q.rival != nil {
		facts = append(facts, q.es.memberFacts("live", q.rival)...)
	}
	for _, ch := range q.preempts {
		facts = append(facts, q.es.memberFacts("preempts", ch)...)
	}
	q.note(rule, r.answer(), facts...)
}

// rivals returns the live chains of a campaign's group that its entry may end (lower), and the first
// that it may not (rival); with a rival there is no entry, so lower is nil then. The chain that a
// restart would replace is neither.
func (es *entries) rivals(p *program.Program, key string) (lower []*customer.Chain, rival *customer.Chain) {
	var replaced *customer.Chain
	if live := es.liveOf(p, key); len(live) > 0 && p.Reentry.OnActive == program.RestartLive {
		// The newest, which startChain ends.
		replaced = live[len(live)-1]
	}
	for _, ch := range es.c.Chains {
		if ch == replaced || !ch.Live() {
			continue
		}
		q := es.set.ByName[ch.Campaign]
		if q == nil || q.Policy.Group != p.Policy.Group {
			continue
		}
		if !p.Policy.Preempt || q.Policy.Priority >= p.Policy.Priority {
			return nil, ch
		}
		lower = append(lower, ch)
	}
	return lower, nil
}

// refusesConflict refuses a delivery while another chain of the campaign's group goes before it.
func refusesConflict(q *sendQuestion) refusal {
	if other := q.sd.conflict(q.t.program, q.t.chain); other != nil {
		return refusal{reason: output.ReasonConflict, detail: other.Campaign}
	}
	return refusal{}
}

// noteConflict notes the campaign's group and the chain that goes before this one, if there is one.
// Campaigns without a group get no row.
func noteConflict(q *sendQuestion, rule trace.Rule, r refusal) {
	p := q.t.program
	if p.Policy.Group == "" {
		return
	}
	facts := []trace.Fact{trace.TextFact("group", p.Policy.Group), trace.NumberFact("priority", p.Policy.Priority)}
	if other := q.sd.conflict(p, q.t.chain); other != nil {
		facts = append(facts, q.sd.memberFacts("goes first", other)...)
	}
	q.note(rule, r.answer(), "", facts...)
}

// memberFacts returns the campaign of a group's chain, as a fact of that name, and its priority.
func (t *turn) memberFacts(name string, ch *customer.Chain) []trace.Fact {
	facts := []trace.Fact{trace.TextFact(name, ch.Campaign)}
	if q := t.set.ByName[ch.Campaign]; q != nil {
		facts = append(facts, trace.NumberFact("its priority", q.Policy.Priority))
	}
	return facts
}

// conflict returns the other live chain of the group that goes before ch, nil when there is none: the
// one of the higher priority, among equals the one that entered first. Two can be live only when a
// campaign came into the group while its chains ran, or after a merge.
func (sd *sends) conflict(p *program.Program, ch *customer.Chain) *customer.Chain {
	if p.Policy.Group == "" {
		return nil
	}
	for _, other := range sd.c.Chains {
		if other == ch || !other.Live() {
			continue
		}
		q := sd.set.ByName[other.Campaign]
		if q == nil || q.Policy.Group != p.Policy.Group {
			continue
		}
		if q.Policy.Priority != p.Policy.Priority {
			if q.Policy.Priority > p.Policy.Priority {
				return other
			}
			continue
		}
		if other.EnteredAt < ch.EnteredAt || other.EnteredAt == ch.EnteredAt && other.Before(ch) {
			return other
		}
	}
	return nil
}
