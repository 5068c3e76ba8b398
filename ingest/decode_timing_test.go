package ingest

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkDecode reads a batch of 100 calls of a shop, about 330 bytes each.
func BenchmarkDecode(b *testing.B) {
	var calls []string
	for i := range 100 {
		calls = append(calls, fmt.Sprintf(`{"messageId":"bench-1-%d","userId":"customer-%d",`+
			`"timestamp":"2026-03-01T10:00:00.123Z","context":{"ip":"198.51.100.7","library":{"name":"analytics.js",`+
			`"version":"2.1.0"},"locale":"de-DE"},"type":"track","event":"Product Viewed","properties":{"score":%d,`+
			`"value":%d.95,"currency":"EUR","product":"product-%d","category":"kitchen"}}`, i, i*7, i*7919, i, i))
	}
	body := []byte(`{"batch":[` + strings.Join(calls, ",") + `]}`)
	d := &decoder{
		workspace: "default", now: 1_772_359_200_000, newID: func() string { return "id" },
		sender: sender{scope: ScopeWrite},
	}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if p := d.whole("", body); p != nil || len(d.events) != 100 || len(d.rejects) != 0 {
			b.Fatalf("unexpected %+v, %d events, %d rejects", p, len(d.events), len(d.rejects))
		}
	}
}
