package machine

import (
	"sort"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/trace"
)

// candidate is a chain that may start, if its group lets it.
type candidate struct {
	program *program.Program
	key     string
	trigger *event.Event
	planned int64
	silence int64
	late    bool
	cause   cause
}

// hasCandidates says whether a chain waits for its group.
func (m *Machine) hasCandidates() bool { return len(m.candidates) > 0 }

// settleGroups lets the candidates of the record (or of the timers of the instant) in,
// the highest priority first, so that of one group the same wins whatever its name. One
// whose campaign has a chain at a send stays until that is decided: the chain may end.
func (m *Machine) settleGroups() {
	if len(m.candidates) == 0 {
		return
	}
	sort.SliceStable(m.candidates, func(i, j int) bool {
		a, b := m.candidates[i].program, m.candidates[j].program
		if a.Policy.Priority != b.Policy.Priority {
			return a.Policy.Priority > b.Policy.Priority
		}
		return a.Name < b.Name
	})
	var later []candidate
	for i := range m.candidates {
		c := &m.candidates[i]
		if m.hasPendingSend(c.program.Name) {
			later = append(later, *c)
			continue
		}
		m.planned, m.silence, m.late, m.cause = c.planned, c.silence, c.late, c.cause
		m.scope.Chain.Chain = nil
		m.scope.Trigger.Set(c.trigger)
		from := m.mark()
		m.settleGroup(c)
		m.silence = 0
		if c.cause.number > 0 { // else its rows are ordered with those of the triggers
			m.attribute(nil, from)
			m.runReady()
		}
	}
	clear(m.candidates)
	m.candidates = append(m.candidates[:0], later...)
}

func (m *Machine) settleGroup(c *candidate) {
	q := m.entry(c.program, c.trigger)
	q.settling = true
	q.at(c.key)
	if r := q.askGroup(); r.reason != output.NoReason {
		m.refuseEntry(q, r)
		return
	}
	for _, ch := range q.preempts {
		m.end(ch, output.Preempted, output.ReasonPreempted, c.program.Name)
	}
	m.startChain(c.program, c.key, c.trigger)
}

// refusesGroup refuses an entry while a chain of the group is live that it may not end.
func refusesGroup(q *entryQuestion) refusal {
	q.preempts, q.rival = q.m.rivals(q.program, q.key)
	if q.rival == nil {
		return refusal{}
	}
	return refusal{reason: output.ReasonGroup, detail: q.rival.Campaign}
}

func noteGroup(q *entryQuestion, rule trace.Rule, r refusal) {
	policy := &q.program.Policy
	facts := []trace.Fact{trace.TextFact("group", policy.Group), trace.NumberFact("priority", policy.Priority)}
	if q.rival != nil {
		facts = append(facts, q.m.memberFacts("live", q.rival)...)
	}
	for _, ch := range q.preempts {
		facts = append(facts, q.m.memberFacts("preempts", ch)...)
	}
	q.note(rule, r.answer(), facts...)
}

func (m *Machine) memberFacts(name string, ch *customer.Chain) []trace.Fact {
	facts := []trace.Fact{trace.TextFact(name, ch.Campaign)}
	if q := m.set.ByName[ch.Campaign]; q != nil {
		facts = append(facts, trace.NumberFact("its priority", q.Policy.Priority))
	}
	return facts
}

// rivals are the live chains of a campaign's group: those that it may end, and the
// first that it may not. The chain that a restart would replace is none of them.
func (m *Machine) rivals(p *program.Program, key string) (lower []*customer.Chain, rival *customer.Chain) {
	var replaced *customer.Chain
	if live := m.liveOf(p, key); len(live) > 0 && p.Reentry.OnActive == program.RestartLive {
		replaced = live[len(live)-1]
	}
	for _, ch := range m.c.Chains {
		if ch == replaced || !ch.Live() {
			continue
		}
		q := m.set.ByName[ch.Campaign]
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

// conflict is the other live chain of the group that goes before ch, nil when there is
// none. Two can be live only when a campaign came into the group while its chains ran.
func (m *Machine) conflict(p *program.Program, ch *customer.Chain) *customer.Chain {
	if p.Policy.Group == "" {
		return nil
	}
	for _, other := range m.c.Chains {
		if other == ch || !other.Live() {
			continue
		}
		q := m.set.ByName[other.Campaign]
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

func refusesConflict(q *sendQuestion) refusal {
	if other := q.m.conflict(q.t.program, q.t.chain); other != nil {
		return refusal{reason: output.ReasonConflict, detail: other.Campaign}
	}
	return refusal{}
}

func noteConflict(q *sendQuestion, rule trace.Rule, r refusal) {
	p := q.t.program
	if p.Policy.Group == "" {
		return
	}
	facts := []trace.Fact{trace.TextFact("group", p.Policy.Group), trace.NumberFact("priority", p.Policy.Priority)}
	if other := q.m.conflict(p, q.t.chain); other != nil {
		facts = append(facts, q.m.memberFacts("goes first", other)...)
	}
	q.note(rule, r.answer(), "", facts...)
}
