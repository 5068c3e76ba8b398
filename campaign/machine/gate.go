package machine

import (
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/trace"
)

// refusal says why an entry or a delivery is refused, and what becomes of it. The zero value lets it
// pass.
type refusal struct {
	reason output.Reason
	detail string // what exactly refused: a cap, a campaign, a variable; empty: nothing to add
	until  int64  // of a delivery: when it is decided again, ms; 0: it is dropped
	exit   bool   // of a delivery: the chain ends
	queue  bool   // of an entry: it is kept until the campaign is active again
}

// answer returns how a trace shows the refusal: yes where it lets pass, else no.
func (r refusal) answer() trace.Answer { return trace.AnswerOf(r.reason == output.NoReason) }

// refuseIf returns a refusal for the reason if closed is true, else one that lets pass.
func refuseIf(closed bool, reason output.Reason, detail string) refusal {
	if !closed {
		return refusal{}
	}
	return refusal{reason: reason, detail: detail}
}

// reasons are all reasons for which a gate refuses. A test compares them with the documentation.
type reasons []output.Reason

// gate is one rule that may refuse an entry or a send; Q is the question that it answers.
// The decision and its explanation ask the same gates, so they cannot contradict each other.
type gate[Q any] struct {
	// rule is the name that explanations print; several gates may share one.
	rule trace.Rule
	// reasons are all reasons of check; a gate without reasons only informs.
	reasons reasons
	// asked reports whether the rule concerns the question; nil: always.
	asked func(q *Q) bool
	// check answers the question. It may keep what it finds in q for note and for later gates;
	// it decides nothing and uses nothing up.
	check func(q *Q) refusal
	// note writes the answer and the values that were compared to the trace.
	note func(q *Q, rule trace.Rule, r refusal)
}

// ask asks gates in their order, up to the first that refuses, and returns its refusal. With explain
// each gate that was asked also notes its answer in the trace; the decision is the same either way.
func ask[Q any](gates []gate[Q], q *Q, explain bool) refusal {
	for i := range gates {
		g := &gates[i]
		if g.asked != nil && !g.asked(q) {
			continue
		}
		r := g.check(q)
		if explain {
			g.note(q, g.rule, r)
		}
		if r.reason != output.NoReason {
			return r
		}
	}
	return refusal{}
}
