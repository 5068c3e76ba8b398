package stream_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/nudge-engine/nudge/internal/goldentest"
	"github.com/nudge-engine/nudge/stream"
)

// The bytes of format 1 must stay readable.
func TestFrameGolden(t *testing.T) {
	var b stream.Builder
	b.Add(stream.KindEvent, []byte("an event"))
	b.Add(stream.KindTick, nil)
	raw := b.Seal(1_772_359_200_000)
	goldentest.Bytes(t, "frame.v1", raw)
	f, err := stream.DecodeFrame(raw)
	if err != nil {
		t.Fatal(err)
	}
	if f.Time != 1_772_359_200_000 || len(f.Records) != 2 || string(f.Records[0].Data) != "an event" ||
		f.Records[1].Kind != stream.KindTick {
		t.Errorf("unexpected frame %+v", f)
	}
}

func TestFrameRefusesDamage(t *testing.T) {
	var b stream.Builder
	b.Add(stream.KindEvent, bytes.Repeat([]byte("x"), 100))
	good := bytes.Clone(b.Seal(1))
	for i := range good {
		for bit := range 8 {
			bad := bytes.Clone(good)
			bad[i] ^= 1 << bit
			if _, err := stream.DecodeFrame(bad); !errors.Is(err, stream.ErrFrame) {
				t.Fatalf("byte %d bit %d flipped: unexpected error %v; want ErrFrame", i, bit, err)
			}
		}
		if _, err := stream.DecodeFrame(good[:i]); !errors.Is(err, stream.ErrFrame) {
			t.Fatalf("cut at %d: unexpected error %v; want ErrFrame", i, err)
		}
	}
}

func TestBuilderKeepsTheLimit(t *testing.T) {
	var b stream.Builder
	record := make([]byte, 10_000)
	for b.Fits(len(record)) {
		b.Add(stream.KindEvent, record)
	}
	if n := len(b.Seal(1)); n > stream.MaxFrame || n < stream.MaxFrame-2*len(record) {
		t.Errorf("unexpected frame of %d bytes; want just under %d", n, stream.MaxFrame)
	}
	b.Reset()
	if b.Count() != 0 || len(b.Seal(1)) > 100 {
		t.Error("reset keeps records")
	}
}
