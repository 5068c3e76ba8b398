package customer

import (
	"github.com/nudge-engine/nudge/campaign/jsonvalue"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/unit"
)

// Chain is one pass of a customer through the steps of a campaign.
//
// Invariant: Outcome == Active if and only if EndedAt == 0. An ended chain has Due == 0; it is kept
// only while a goal window may still be open or a delivery has no result, and at most MaxEnded of them.
//
// All instants are in ms. Only the goroutine of the shard that owns the customer uses a Chain.
type Chain struct {
	Campaign string
	// Version is the version of the campaign under which the chain last ran a step.
	Version uint32
	Entry   uint32 // 1 for the customer's first entry into the campaign
	// Key is the value of the campaign's re-entry key, empty where it has none. Chains of different
	// keys run side by side, for example one for each cart.
	Key       string
	EnteredAt int64 // log time, ms
	// Step is the id of the step in which the chain rests, or program.EndStep.
	Step string
	// Opened is the log time at which the chain came to that step, or at which the step's timer began
	// anew.
	Opened int64
	// Due is when the step's timer is due; 0 where the step has none.
	Due int64
	// Wake is when the chain is looked at, where that is later than Due: after a late send the next
	// steps keep their distance, and a paused campaign is not looked at (Never). 0 means at Due.
	Wake int64
	// Restarts counts how often restart_on restarted the wait in which the chain rests; the definition
	// limits it.
	Restarts uint32
	// Trigger is the stored form (event.AppendBody) of the event that started the chain, nil where time
	// did.
	Trigger  []byte
	LastSend int64  // log time of the last delivery, ms; 0 before the first
	LastStep string // the step of that delivery
	Outcome  output.Outcome
	// EndedAt is the log time at which the chain ended; 0 while it is live.
	EndedAt int64
	EndedBy string    // the goal that ended it, empty when none did
	Goals   []GoalHit // in the order reached; at most one a goal id

	// Variants has the experiments that the chain passed, the last one last.
	Variants []output.Passed

	// Reversals has the goals with reverse_on that the chain reached, with what is needed to take them
	// back.
	Reversals []Reversal

	// Planned is the version of the campaign by which the chain's timer was last planned, where that is
	// newer than Version. A chain that rests follows a new version only with its timer.
	Planned uint32
	// Still marks a chain that came to its step while the campaign was paused and has not begun it.
	Still bool

	// StartedAt is the planned instant at which time started the chain; 0 where its trigger event did.
	StartedAt int64
	// FirstStart is the start that the chain had at its entry, where it took a new trigger event since
	// and a wait "since: entry" needs to know; otherwise 0.
	FirstStart int64

	// Behind is the number (RecentEvent.N) of the first remembered event that came after the entry. It
	// decides between events of the same millisecond as the entry. 0 where it is not known, because no
	// wait of the campaign needed it at the entry.
	Behind uint64

	// Reply is the JSON object that the last call answered for which the chain waited; nil where there
	// is none.
	Reply []byte

	// Exposed is what the chain counts for in experiments that look for a winner.
	Exposed []Exposed

	// Loops counts the jumps back to each step, so that a loop ends when its limit is reached.
	Loops []LoopCount
	// BackJumps is the number of all jumps back. It is part of the delivery ids, so that the messages
	// of a loop have different ones.
	BackJumps uint32
	// LastJumpAt is the log time of the last jump back.
	LastJumpAt int64
	// HeldOut marks a chain of the control group: what it would send becomes a ghost.
	HeldOut bool
	// Held is the deferred send in which the chain rests; nil where it rests in anything else.
	Held *Held
	// Origin is the customer under whom the chain was entered, where it came by a merge; otherwise nil.
	Origin *Origin
}

// GoalHit is a goal that a chain reached, with its value at that time.
type GoalHit struct {
	ID    string
	Value unit.Money
	// HasValue is false for goals that have no value; Value is then 0.
	HasValue bool
	// Currency is empty where the definition of the goal names none.
	Currency string
}

// Before reports whether ch precedes other in the order in which a record is applied to chains (rule L1
// of package campaign): by campaign name, then by entry number. No two chains of a customer have both
// in common.
func (ch *Chain) Before(other *Chain) bool {
	if ch.Campaign != other.Campaign {
		return ch.Campaign < other.Campaign
	}
	return ch.Entry < other.Entry
}

// WakeAt returns the instant at which the chain's timer fires; 0 where it has none.
func (ch *Chain) WakeAt() int64 { return max(ch.Due, ch.Wake) }

// Live reports whether the chain has not ended.
func (ch *Chain) Live() bool { return ch.Outcome == output.Active }

// Reached reports whether the chain has reached the goal of that id.
func (ch *Chain) Reached(goal string) bool {
	for i := range ch.Goals {
		if ch.Goals[i].ID == goal {
			return true
		}
	}
	return false
}

// Variant returns the variant of the last experiment that the chain passed; empty where it passed none.
func (ch *Chain) Variant() string {
	if n := len(ch.Variants); n > 0 {
		return ch.Variants[n-1].Variant
	}
	return ""
}

// Lookup returns the JSON text of a variable "chain.<name>" of a message; nil where it has no value.
// inner is the rest of the path: for "variants" it is the id of an experiment's step.
func (ch *Chain) Lookup(name, inner string) []byte {
	switch name {
	case "key":
		return jsonvalue.AppendString(nil, ch.Key)
	case "entered_at":
		return jsonvalue.AppendString(nil, unit.FormatTime(ch.EnteredAt))
	case "variants":
		for _, v := range ch.Variants {
			if v.Step == inner {
				return jsonvalue.AppendString(nil, v.Variant)
			}
		}
	}
	return nil
}

// UntilFrom returns the first instant that a step of the kind "delay until 09:00" may choose, for a
// chain that came to the step at came. A chain that jumped back at this very instant must not choose it
// again: the loop would run without time passing.
func (ch *Chain) UntilFrom(came int64) int64 {
	if ch.BackJumps > 0 && ch.LastJumpAt == came {
		return came + 1
	}
	return came
}

// Row returns the chain's present state as a row of the warehouse. c is the customer whose chain it is.
func (ch *Chain) Row(c *Customer) output.ChainRow {
	r := output.ChainRow{
		Workspace: c.Workspace, Campaign: ch.Campaign, Version: ch.Version, Customer: c.ID,
		Key: ch.Key, Entry: ch.Entry, EnteredAt: ch.EnteredAt, EndedAt: ch.EndedAt, Outcome: ch.Outcome,
		Variants: append([]output.Passed(nil), ch.Variants...),
		HeldOut:  ch.HeldOut,
	}
	// The goal that ended the chain has precedence over the first that it reached.
	for _, g := range ch.Goals {
		if ch.Reversed(g.ID) {
			continue
		}
		if g.ID == ch.EndedBy || r.Goal == "" {
			r.Goal, r.Value, r.HasValue, r.Currency = g.ID, g.Value, g.HasValue, g.Currency
		}
	}
	return r
}
