package stream_test

import (
	"bytes"
	"testing"

	"github.com/nudge-engine/nudge/stream"
)

// FuzzDecodeFrame: no bytes make the decoder panic, and what it accepts is written
// back the same.
func FuzzDecodeFrame(f *testing.F) {
	var b stream.Builder
	f.Add(bytes.Clone(b.Seal(0)))
	b.Add(stream.KindEvent, []byte("an event"))
	b.Add(stream.KindTick, nil)
	f.Add(bytes.Clone(b.Seal(1_772_359_200_000)))
	f.Fuzz(func(t *testing.T, p []byte) {
		frame, err := stream.DecodeFrame(p)
		if err != nil || len(p) > stream.MaxFrame {
			return
		}
		var again stream.Builder
		for _, r := range frame.Records {
			if !again.Fits(len(r.Data)) {
				return
			}
			again.Add(r.Kind, r.Data)
		}
		second, err := stream.DecodeFrame(again.Seal(frame.Time))
		if err != nil || second.Time != frame.Time || len(second.Records) != len(frame.Records) {
			t.Fatalf("%x does not survive: %v", p, err)
		}
	})
}
