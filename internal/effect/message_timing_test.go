package effect_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/effect"
)

// busy is what a frame makes in which n customers enter a chain and are sent something.
func busy(n int) *effect.Effects {
	one := full()
	e := &effect.Effects{Seq: one.Seq, Now: one.Now, Semantics: one.Semantics}
	for i := range n {
		d, c, r := one.Deliveries[0], one.Decisions[0], one.Chains[0]
		customer := fmt.Sprintf("customer-%d", i)
		d.Customer, c.Customer, r.Customer = customer, customer, customer
		e.Deliveries = append(e.Deliveries, d)
		e.Decisions = append(e.Decisions, c, c)
		e.Chains = append(e.Chains, r)
	}
	return e
}

func BenchmarkMessage(b *testing.B) {
	e := busy(100)
	var encoder effect.Encoder
	var data []byte
	encoder.Encode(e, 1, func(_ uint64, p []byte) { data = slices.Clone(p) })
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			encoder.Encode(e, 1, func(uint64, []byte) {})
		}
	})
	names := event.Names{}
	decode := func(name string, read func([]byte, event.Names) (effect.Message, error)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				if m, err := read(data, names); err != nil || len(m.Deliveries) != 100 {
					b.Fatalf("%d deliveries, error %v", len(m.Deliveries), err)
				}
			}
		})
	}
	decode("decode", effect.DecodeShared)
	decode("decode-outgoing", effect.DecodeOutgoing)
}
