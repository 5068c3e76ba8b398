package stream

import (
	"bytes"
	"testing"
)

// BenchmarkFrame builds, seals and reads a frame of 100 records of 300 bytes.
func BenchmarkFrame(b *testing.B) {
	record := bytes.Repeat([]byte("x"), 300)
	var builder Builder
	b.ReportAllocs()
	for b.Loop() {
		builder.Reset()
		for range 100 {
			builder.Add(KindEvent, record)
		}
		f, err := DecodeFrame(builder.Seal(1))
		if err != nil || len(f.Records) != 100 {
			b.Fatalf("unexpected %d records, error %v", len(f.Records), err)
		}
	}
}
