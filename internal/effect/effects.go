// Package effect has what a shard decides in one step, and the format of the messages that
// carry it to the sinks. An effect is something to be done outside of the shard: a
// delivery, a row, a transfer.
//
// The engine encodes effects and appends them to the effect stream of the partition; the
// sinks decode them. The format is stored: it is only extended, and testdata/*.hex hold it
// fixed. effects.go has the data, message.go the format, message_tail.go what was added to
// rows later.
package effect

import "github.com/nudge-engine/nudge/campaign/output"

// Effects is what one Step of a shard decided. The slices are in the order in which things
// were decided. All of it must be acknowledged in FX before a snapshot that covers the
// frame is taken (C4), and before any of it is acted upon: otherwise a crash could lose it,
// or do it twice.
type Effects struct {
	// Seq is the log sequence of the frame.
	Seq uint64
	// Part counts the steps of one frame from 0; a frame with much to do takes several.
	Part uint32
	// Now is the log time in ms.
	Now int64
	// Semantics is the version of the code that decided; see the constant.
	Semantics uint64

	output.Output
	Drops       []Drop
	DeadLetters []DeadLetter
}

// Drop is a record that was not applied, for example a duplicate.
type Drop struct {
	Index  uint32 // in its frame, from 0
	Reason output.Kind
}

// DeadLetter is a record that could not be used, kept with the reason and with what is
// needed to look into it.
type DeadLetter struct {
	Workspace string
	Customer  string
	Index     uint32 // in its frame
	Reason    output.Reason
	// Field is the field that is wrong, or the kind of work that failed (timer, visit).
	Field  string
	Detail string
	Raw    []byte // the record's bytes, at most MaxRaw
	At     int64  // log time, ms
}

// The greatest sizes of the record and of the explanation in a dead letter, in bytes.
const (
	MaxRaw    = 32 << 10
	MaxDetail = 1000
)

// Reset empties e and keeps its memory for the next use.
func (e *Effects) Reset() {
	e.Output.Reset()
	e.Drops = e.Drops[:0]
	e.DeadLetters = e.DeadLetters[:0]
}

// Empty reports whether nothing was decided that must be written. Exposures do not count:
// they stay in the shard.
func (e *Effects) Empty() bool {
	return len(e.Deliveries) == 0 && len(e.Decisions) == 0 && len(e.Chains) == 0 && len(e.Goals) == 0 &&
		len(e.Drops) == 0 && len(e.DeadLetters) == 0 && len(e.Transfers) == 0
}
