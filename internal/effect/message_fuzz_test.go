package effect_test

import (
	"reflect"
	"testing"

	"github.com/nudge-engine/nudge/internal/effect"
)

// FuzzDecodeMessage: no bytes make the decoder panic, and what it accepts is
// written back the same.
func FuzzDecodeMessage(f *testing.F) {
	new(effect.Encoder).Encode(full(), 1, func(_ uint64, data []byte) { f.Add(data) })
	f.Add([]byte{effect.MessageFormat, 1, 1, 0, 1, 0})
	f.Fuzz(func(t *testing.T, p []byte) {
		m, err := effect.DecodeMessage(p)
		if err != nil || len(p) > effect.MaxMessage/2 || m.Empty() {
			return
		}
		new(effect.Encoder).Encode(&m.Effects, m.N, func(n uint64, data []byte) {
			again, err := effect.DecodeMessage(data)
			if err != nil || n != m.N || !reflect.DeepEqual(again.Effects, m.Effects) {
				t.Fatalf("%x does not survive: %v", p, err)
			}
		})
	})
}
