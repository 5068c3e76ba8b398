package audit

import "time"

// What happens to a send that is late (late), that meets a full cap (on_cap), or whose messages
// were all dropped (on_drop).
const (
	LateSend = "send"
	LateSkip = "skip"
	LateExit = "exit"

	CapDrop  = "drop"
	CapDefer = "defer"
	CapExit  = "exit"

	DropNext = "next"
	DropExit = "exit"
)

// Step has exactly one verb set. Goto is where the chain goes after it; empty
// is the next step.
type Step struct {
	ID     string
	Delay  *Delay
	Wait   *Wait
	Send   *Send
	Branch *Branch
	Exit   bool
	Goto   string

	Experiment *Experiment
	Until      *Until
	Set        *Set
	Emit       *Emit
	Start      string // a campaign
	Call       *Call
	Loop       int // how often a chain goes back to this step at most
}

// Delay rests the chain from the step before, or from the entry.
type Delay struct {
	For       time.Duration
	FromEntry bool
}

// Wait rests the chain until one of For matches or, with Timeout, it is over.
// FromEntry is `since: entry`. An empty OnTimeout goes on like the step itself.
type Wait struct {
	For       []WaitFor
	Timeout   time.Duration
	FromEntry bool
	OnTimeout string

	RestartOn   *Match
	MaxRestarts int
}

// WaitFor is one event a wait looks for.
type WaitFor struct {
	Match Match
	Goto  string
}

// Send decides one delivery a channel, in the order written. Each may leave for
// Expires; 0 is not given.
type Send struct {
	Channels []string
	Expires  time.Duration

	Category string
	OnCap    string // empty: drop
	OnFail   string // a later step; empty: goes on
	OnDrop   string // DropExit, DropNext or a step; empty: DropNext
	Needs    string // a property of the trigger that the message names
}

// Branch goes to the first arm that holds, else to the next step.
type Branch struct{ Arms []Arm }

// Arm is one way of a branch; no When always holds.
type Arm struct {
	When *Pred
	Goto string
}

// Experiment sends a chain along one of its variants, by the customer's bucket.
type Experiment struct {
	Salt     string // empty: campaign/step
	Variants []Variant
	Goal     string // that a winner is looked for by; empty: the primary one
	Winner   *Rule  // nil: nobody decides it
}

// Variant is one path of an experiment. Weights are percents.
type Variant struct {
	ID     string
	Weight int
	Goto   string
}

// Until rests until the next local time of day, Minute, on one of Days; no Days means any day.
type Until struct {
	Minute int
	Days   []time.Weekday
	Zone   string // "customer", also when empty, or a name
}

// Set changes a trait, or removes it (nil), and adds or removes a tag.
type Set struct {
	Trait  string // empty: none
	Value  any
	Tag    string // empty: none
	Remove bool   // the tag
}

// Emit makes an event. It carries the trigger's property Copy and, as "value", Value.
type Emit struct {
	Event string
	Value float64
	Copy  string // empty: none
}
