// Package effect is what a step decided, and the format of the messages that
// carry it: the language that the engine speaks to the sinks.
package effect

import "github.com/nudge-engine/nudge/campaign/output"

// Effects is what one Step decided. The slices are in the order in which things
// were decided. All of it must be acknowledged in FX before a snapshot that
// covers the frame is taken (C4) and before any of it is acted upon.
type Effects struct {
	// Seq is the log sequence of the frame, Part counts the steps of one frame
	// from 0, Now is the log time, ms. Semantics is that of the code that decided.
	Seq       uint64
	Part      uint32
	Now       int64
	Semantics uint64

	output.Output
	Drops       []Drop
	DeadLetters []DeadLetter
}

// Drop is a record that was not applied.
type Drop struct {
	Index  uint32 // in its frame, from 0
	Reason output.Kind
}

// DeadLetter is a record that was put aside, with what is needed to look into it.
type DeadLetter struct {
	Workspace string
	Customer  string
	Index     uint32 // in its frame
	Reason    output.Reason
	Field     string
	Detail    string
	Raw       []byte // the record's bytes, at most MaxRaw
	At        int64  // log time, ms
}

// Limits of a dead letter, in bytes.
const (
	MaxRaw    = 32 << 10
	MaxDetail = 1000
)

// Reset empties e and keeps its memory.
func (e *Effects) Reset() {
	e.Output.Reset()
	e.Drops = e.Drops[:0]
	e.DeadLetters = e.DeadLetters[:0]
}

// Empty says that nothing was decided.
func (e *Effects) Empty() bool {
	return len(e.Deliveries) == 0 && len(e.Decisions) == 0 && len(e.Chains) == 0 && len(e.Goals) == 0 &&
		len(e.Drops) == 0 && len(e.DeadLetters) == 0 && len(e.Transfers) == 0
}
