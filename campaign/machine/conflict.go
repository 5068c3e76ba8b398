package machine

import (
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
)

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
