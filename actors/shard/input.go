package shard

import (
	"github.com/cespare/xxhash/v2"

	"github.com/nudge-engine/nudge/stream"
)

// Position identifies a message of the log. Sequence numbers alone do not: a log that
// lost its tail, or was restored from a backup, uses them again for other messages.
type Position struct {
	// Seq is the sequence in the stream, from 1; 0 means before the first message.
	Seq  uint64
	Time int64  // when the log stored it, ns since the epoch
	Hash uint64 // XXH64 of its bytes
}

// Input is one frame of the log with its position. The records alias the bytes of the
// message, so what outlives the Step must be copied.
type Input struct {
	At    Position
	Frame stream.Frame
}

// DecodeInput decodes the frame in a log message. Errors are of class stream.ErrFrame.
func DecodeInput(m stream.Message) (Input, error) {
	f, err := stream.DecodeFrame(m.Data)
	if err != nil {
		return Input{}, err
	}
	return Input{At: PositionOf(m), Frame: f}, nil
}

// PositionOf returns the position of a log message.
func PositionOf(m stream.Message) Position {
	return Position{Seq: m.Seq, Time: m.Time.UnixNano(), Hash: xxhash.Sum64(m.Data)}
}
