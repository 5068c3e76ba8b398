package shard

import (
	"github.com/cespare/xxhash/v2"

	"github.com/nudge-engine/nudge/stream"
)

// Position names a message of the log so that a log that lost a tail and used
// its numbers again is found out (R7).
type Position struct {
	Seq  uint64
	Time int64  // when the log stored it, ns since the epoch
	Hash uint64 // XXH64 of its bytes
}

// Input is one frame as it came from the log.
type Input struct {
	At    Position
	Frame stream.Frame
}

// DecodeInput reads the frame in a log message.
func DecodeInput(m stream.Message) (Input, error) {
	f, err := stream.DecodeFrame(m.Data)
	if err != nil {
		return Input{}, err
	}
	return Input{At: PositionOf(m), Frame: f}, nil
}

// PositionOf names a log message.
func PositionOf(m stream.Message) Position {
	return Position{Seq: m.Seq, Time: m.Time.UnixNano(), Hash: xxhash.Sum64(m.Data)}
}
