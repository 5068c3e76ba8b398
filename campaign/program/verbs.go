package program

import (
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/zone"
)

// Until rests until it is a time of day on one of some days.
type Until struct {
	Minute int // of the day, local
	Days   zone.Days
	Zone   string // IANA name; empty: the customer's zone order
}

// SetProfile changes traits and tags: the verb set.
type SetProfile struct {
	Traits []Assign
	Add    []string // tags
	Remove []string
}

// Emit makes an event of the customer, applied after the current record.
type Emit struct {
	Event      string
	Properties []Assign
}

// Start starts a chain of another campaign, after the current record.
type Start struct{ Campaign string }

// Assign gives a name a value: a literal or what an expression yields.
type Assign struct {
	Name    string
	Literal []byte // canonical JSON; meaningful when Expr is nil
	Expr    *expr.Expr
}

// Word implements Verb.
func (*Until) Word() string { return "until" }

func (*Until) isVerb() {}

// Word implements Verb.
func (*SetProfile) Word() string { return "set" }

func (*SetProfile) isVerb() {}

// Word implements Verb.
func (*Emit) Word() string { return "emit" }

func (*Emit) isVerb() {}

// Word implements Verb.
func (*Start) Word() string { return "start" }

func (*Start) isVerb() {}

// OnDrop says where a chain goes whose send was dropped on all of its channels; the zero
// value goes on to the next step.
type OnDrop struct {
	Exit bool
	Goto string
}
