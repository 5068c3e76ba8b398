package customer

import (
	"github.com/nudge-engine/nudge/campaign/jsonvalue"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/unit"
)

// Chain is one customer's run of one campaign.
//
// Invariant: Outcome == Active if and only if EndedAt == 0; an ended chain has
// Due == 0 and is kept only while a goal window may still be open.
type Chain struct {
	Campaign  string
	Version   uint32 // that it last ran under
	Entry     uint32 // 1 for the customer's first entry into the campaign
	Key       string
	EnteredAt int64  // log time, ms
	Step      string // id of the step it rests in
	Opened    int64  // log time at which it came to that step, or its timer began anew, ms
	Due       int64  // when the timer of that step is due, ms; 0 without a timer
	Wake      int64  // when it is looked at, ms: later than Due after a late send; 0: at Due
	Restarts  uint32 // how often the wait it rests in was restarted
	Trigger   []byte // stored form of the trigger event, nil when there was none
	LastSend  int64  // log time of the last delivery, ms; 0 before the first
	LastStep  string // the step of that delivery
	Outcome   output.Outcome
	EndedAt   int64
	EndedBy   string    // the goal that ended it, empty when none did
	Goals     []GoalHit // in the order reached; at most one a goal id

	Variants []output.Passed // experiments that it passed, the last one last

	Reversals []Reversal // goals with reverse_on that it reached

	Planned uint32 // version in force when its timer was last looked at, where that is after Version
	Still   bool   // its campaign stood still when it came to its step, which it has not begun

	StartedAt  int64 // planned instant at which time started it, ms; 0: its trigger event started it
	FirstStart int64 // start of it before it took a new trigger, ms; 0: it took none, or no wait asks

	Behind uint64 // first event of the rings after the entry, see ringedAtEntry; 0: not known

	Reply []byte // JSON object that the last call it waited for answered, nil when none

	Exposed []Exposed // what it counts for in experiments that look for a winner

	Loops      []LoopCount // steps that it went back to
	BackJumps  uint32      // how often in all
	LastJumpAt int64       // log time of the last, ms
	HeldOut    bool        // of the control group: what it would send is a ghost
	Held       *Held       // the send that it rests in; nil for any other rest
	Origin     *Origin     // where it was entered, when it came by a merge
}

// GoalHit is a goal that a chain reached.
type GoalHit struct {
	ID       string
	Value    unit.Money
	HasValue bool
	Currency string // empty where the goal says none
}

// Before reports whether ch comes before other in the order of a record (L1): by campaign, then by
// entry number.
func (ch *Chain) Before(other *Chain) bool {
	if ch.Campaign != other.Campaign {
		return ch.Campaign < other.Campaign
	}
	return ch.Entry < other.Entry
}

// WakeAt is when the chain's timer fires, 0 without one.
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

// Variant is that of the last experiment that the chain passed, empty before.
func (ch *Chain) Variant() string {
	if n := len(ch.Variants); n > 0 {
		return ch.Variants[n-1].Variant
	}
	return ""
}

// Lookup is the JSON text of a variable of the chain, nil when it is missing.
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

// UntilFrom is the first instant that counts for a chain that came to its step at one.
func (ch *Chain) UntilFrom(came int64) int64 {
	if ch.BackJumps > 0 && ch.LastJumpAt == came {
		return came + 1
	}
	return came
}

// Row is the chain as a row of the warehouse.
func (ch *Chain) Row(c *Customer) output.ChainRow {
	r := output.ChainRow{
		Workspace: c.Workspace, Campaign: ch.Campaign, Version: ch.Version, Customer: c.ID,
		Key: ch.Key, Entry: ch.Entry, EnteredAt: ch.EnteredAt, EndedAt: ch.EndedAt, Outcome: ch.Outcome,
		Variants: append([]output.Passed(nil), ch.Variants...),
		HeldOut:  ch.HeldOut,
	}
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
