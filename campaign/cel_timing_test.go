package campaign

import "testing"

// BenchmarkHolds asks predicates as campaigns have them of one event.
func BenchmarkHolds(b *testing.B) {
	lang, err := NewLanguage()
	if err != nil {
		b.Fatal(err)
	}
	c := NewCustomer("w", "ann", 1, 1)
	c.Traits = []byte(`{"level":"gold","age":42}`)
	for name, source := range map[string]string{
		"range":  `event.properties.score >= 100 && event.properties.score < 200`,
		"equal":  `event.properties.category == "kitchen"`,
		"in":     `customer.traits.level in ["silver", "gold"]`,
		"traits": `customer.traits.age > 18 && has(customer.traits.level)`,
		"count":  `customer.count("Order Completed") >= 3`,
	} {
		b.Run(name, func(b *testing.B) {
			e, err := lang.compileExpr(source, nil)
			if err != nil {
				b.Fatal(err)
			}
			s := newScope()
			s.customer.set(c)
			event := &Event{Properties: []byte(`{"score":150,"value":12.95,"category":"kitchen"}`)}
			b.ReportAllocs()
			for b.Loop() {
				s.event.e = nil // parse again
				s.event.set(event)
				if ok, err := e.holds(s); err != nil || ok != (name != "count") {
					b.Fatalf("unexpected %v, error %v", ok, err)
				}
			}
		})
	}
}
