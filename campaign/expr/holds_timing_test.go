package expr

import (
	"testing"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
)

// BenchmarkHolds asks predicates as campaigns have them of one event.
func BenchmarkHolds(b *testing.B) {
	lang, err := NewLanguage()
	if err != nil {
		b.Fatal(err)
	}
	c := customer.New("w", "ann", 1, 1)
	c.Traits = []byte(`{"level":"gold","age":42}`)
	for name, source := range map[string]string{
		"range":  `event.properties.score >= 100 && event.properties.score < 200`,
		"equal":  `event.properties.category == "kitchen"`,
		"in":     `customer.traits.level in ["silver", "gold"]`,
		"traits": `customer.traits.age > 18 && has(customer.traits.level)`,
		"count":  `customer.count("Order Completed") >= 3`,
	} {
		b.Run(name, func(b *testing.B) {
			e, err := lang.Compile(source, nil)
			if err != nil {
				b.Fatal(err)
			}
			s := NewScope()
			s.Customer.Set(c)
			event := &event.Event{Properties: []byte(`{"score":150,"value":12.95,"category":"kitchen"}`)}
			b.ReportAllocs()
			for b.Loop() {
				s.Event.Event = nil // parse again
				s.Event.Set(event)
				if ok, err := e.Holds(s); err != nil || ok != (name != "count") {
					b.Fatalf("unexpected %v, error %v", ok, err)
				}
			}
		})
	}
}
