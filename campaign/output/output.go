package output

import (
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/unit"
)

// Output is what applying a record or a timer to a customer led to. The slices
// are in the order in which things were decided; a caller may reuse them.
type Output struct {
	Deliveries []Delivery
	Decisions  []Decision
	Chains     []ChainRow
	Goals      []GoalRow
	// Exposures are for the shard alone; they are no effects.
	Exposures []Exposure
	Transfers []event.Transfer
}

// Reset empties o and keeps its memory.
func (o *Output) Reset() {
	o.Deliveries = o.Deliveries[:0]
	o.Decisions = o.Decisions[:0]
	o.Chains = o.Chains[:0]
	o.Goals = o.Goals[:0]
	o.Exposures = o.Exposures[:0]
	o.Transfers = o.Transfers[:0]
}

// Decision is one recorded verdict.
type Decision struct {
	Workspace string
	Campaign  string
	Version   uint32
	Customer  string
	Key       string
	Entry     uint32
	Step      string
	Kind      Kind
	Reason    Reason
	Detail    string // what the reason is about: a variable, an error text
	EventID   string // the event that led to it, empty for a timer
	At        int64
}

// ChainRow is the state of a chain after a change; the last row of a chain holds.
type ChainRow struct {
	Workspace string
	Campaign  string
	Version   uint32
	Customer  string
	Key       string
	Entry     uint32
	EnteredAt int64
	EndedAt   int64 // 0 while active
	Outcome   Outcome
	Goal      string // id of the first goal reached, empty when none
	Value     unit.Money
	HasValue  bool
	Currency  string   // of the value, empty where the goal says none
	Variants  []Passed // in the order passed
	HeldOut   bool     // of the control group
}

// GoalRow is one conversion.
type GoalRow struct {
	Workspace string
	Campaign  string
	Version   uint32
	Customer  string
	Key       string
	Entry     uint32
	Goal      string
	Step      string // the last delivery's step before the goal, empty when none
	Value     unit.Money
	HasValue  bool
	Currency  string
	EventID   string
	At        int64 // event time
	Reversal  bool  // takes back the conversion before it; Value is negative
}

// Exposure is a change of what is counted for an experiment that looks for a winner.
type Exposure struct {
	Workspace  string
	Campaign   string
	Step       string
	Variant    string
	Experiment uint64 // Experiment.Print: what the counts can be compared with
	At         int64  // log time at which the chain was exposed, ms
	// Hour is the full UTC hour since 1970 from which the exposure has matured: always
	// after the log time of the change. 0 while that is not known.
	Hour      int64
	Exposed   int // 1, 0 or -1
	Converted int // 1, 0 or -1
}
