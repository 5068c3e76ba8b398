package shard

import (
	"bytes"
	"testing"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/effect"
)

// A record that panics leaves the customer and the effects as they were, and
// makes a dead letter; the next record is applied as if nothing had happened (C7).
func TestPanicIsContained(t *testing.T) {
	s := New(Config{})
	s.now = 1000
	h := s.customers.put(Key("w", "ann"), customer.New("w", "ann", 1000, 1), guessBytes)
	before := h.c.AppendTo(nil)
	var out effect.Effects
	out.Decisions = append(out.Decisions, output.Decision{Customer: "earlier"})
	failures := 0
	s.runner.run(h, &out, func() {
		h.c.Traits = []byte(`{"half":"done"}`)
		h.c.Counters = append(h.c.Counters, customer.Counter{ID: "x", Count: 1})
		out.Decisions = append(out.Decisions, output.Decision{Customer: "half done"})
		panic("a bug")
	}, func(detail string) {
		failures++
		if detail != "panic: a bug" {
			t.Errorf("unexpected detail %q", detail)
		}
	})
	if failures != 1 || len(out.Decisions) != 1 || !bytes.Equal(h.c.AppendTo(nil), before) {
		t.Errorf(
			"%d failures, %d decisions, customer %+v; want 1, 1, the customer as before",
			failures,
			len(out.Decisions),
			h.c,
		)
	}
	s.runner.run(h, &out, func() { h.c.Traits = []byte(`{"a":1}`) }, func(string) { t.Error("nothing panicked") })
	if string(h.c.Traits) != `{"a":1}` {
		t.Errorf("unexpected traits %s", h.c.Traits)
	}
}
