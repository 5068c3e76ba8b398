package output

import (
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/unit"
)

// Output collects what follows from applying one or more records or timers to a customer. Each slice is
// in the order in which things were decided. An Output is reused to save allocations: Reset invalidates
// what was read from it.
type Output struct {
	Deliveries []Delivery
	Decisions  []Decision
	// Chains has a row for each change of a chain, the newest last.
	Chains []ChainRow
	Goals  []GoalRow
	// Exposures change the counts of experiments, which the shard keeps. Unlike the other slices they
	// are no effects: nothing outside the shard sees them.
	Exposures []Exposure
	// Transfers go to the customers into whom anonymous customers merged.
	Transfers []event.Transfer
}

// Reset empties o and keeps its memory for the next use.
func (o *Output) Reset() {
	o.Deliveries = o.Deliveries[:0]
	o.Decisions = o.Decisions[:0]
	o.Chains = o.Chains[:0]
	o.Goals = o.Goals[:0]
	o.Exposures = o.Exposures[:0]
	o.Transfers = o.Transfers[:0]
}

// Decision is one thing that the engine decided about a customer, and why. It becomes a row of the
// table decisions. Fields that do not apply are empty or zero: a decision need not concern a chain.
type Decision struct {
	Workspace string
	Campaign  string
	Version   uint32
	Customer  string
	// Key is the re-entry key of the chain.
	Key string
	// Entry is the number of the chain's entry, from 1; 0 where no chain is concerned.
	Entry   uint32
	Step    string
	Kind    Kind
	Reason  Reason
	Detail  string // what the reason is about: a variable, an error text
	EventID string // the event that led to it, empty for a timer
	// At is the log time of the decision in ms.
	At int64
}

// ChainRow is the state of a chain after a change. Rows are only ever added; the last row of a chain is
// its state.
type ChainRow struct {
	Workspace string
	Campaign  string
	Version   uint32
	Customer  string
	Key       string
	Entry     uint32
	// EnteredAt is the log time of the entry in ms.
	EnteredAt int64
	// EndedAt is the log time of the end in ms; 0 while the chain is live.
	EndedAt int64
	Outcome Outcome
	// Goal is the id of the goal that ended the chain, else of the first that it reached; empty where
	// it reached none, or where they were taken back. Value and Currency are those of this goal.
	Goal string
	// Value is meaningful where HasValue is true: a goal without a value is not a goal worth 0.
	Value    unit.Money
	HasValue bool
	Currency string // of the value, empty where the goal says none
	// Variants has the experiments that the chain passed, in that order.
	Variants []Passed
	HeldOut  bool // of the control group
}

// GoalRow is one conversion, or one reversal of a conversion, of a chain.
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

// Exposure is a change of what is counted for an experiment that looks for a winner: a chain that got
// its variant, one whose conversion came later, or the removal of either.
type Exposure struct {
	Workspace  string
	Campaign   string
	Step       string
	Variant    string
	Experiment uint64 // Experiment.Print: what the counts can be compared with
	At         int64  // log time at which the chain was exposed, ms
	// Hour is the full UTC hour since 1970 from which the exposure has matured: always
	// after the log time of the change. 0 while that is not known.
	Hour int64
	// Exposed is added to the exposures of the variant: 1, 0 or -1.
	Exposed int
	// Converted is added to its conversions: 1, 0 or -1.
	Converted int
}
