package shard

import (
	"fmt"
	"strings"
	"testing"
)

// Of a thousand triggers of one customer and key one enters; of fifty keys each does; the
// log read again says the same.
func TestOneEntryForAKey(t *testing.T) {
	w := newScriptWorld(t)
	w.clock = instant(t, "2026-03-01T10:00:00Z")
	w.apply(t, `apiVersion: nudge/v1
kind: Campaign
metadata: {name: order}
spec:
  trigger: {event: {name: Order}}
  reentry: {key: event.properties.id}
  steps: [{id: rest, delay: 1d}]
`)
	var same, keys strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&same, "track one s%d \"Order\" {\"id\": 7}\n", i)
		fmt.Fprintf(&keys, "track many k%d \"Order\" {\"id\": %d}\n", i, i%50)
	}
	w.out.Reset()
	w.frame(t, same.String())
	if n := strings.Count(w.out.String(), " entered one order 7"); n != 1 || strings.Count(w.out.String(), " entered ") != 1 {
		t.Errorf("%d entries for one key; want 1", n)
	}
	if n := strings.Count(w.out.String(), " refused one order 7 already_active"); n != 999 {
		t.Errorf("%d refusals for one key; want 999", n)
	}
	w.out.Reset()
	w.frame(t, keys.String())
	if n := strings.Count(w.out.String(), " entered many order "); n != 50 {
		t.Errorf("%d entries for fifty keys; want 50", n)
	}
	w.recover(t) // compares each effect message with the first time
	w.out.Reset()
	w.frame(t, "track many more \"Order\" {\"id\": 49}")
	if w.out.String() != "03-01T10:00:00 refused many order 49 already_active\n" {
		t.Errorf("after a replay: %s", w.out.String())
	}
}

// In whatever order a cart, its purchase and a copy of the cart's record come, at most one
// chain starts, and nothing is sent.
func TestPurchaseInAnyOrder(t *testing.T) {
	records := []string{
		`track c m1 "Cart" {"id": "A"} time=2026-03-01T10:00:00Z`,
		`track c m1 "Cart" {"id": "A"} time=2026-03-01T10:00:00Z`,
		`track c m2 "Bought" {"id": "A"} time=2026-03-01T10:20:00Z`,
	}
	for _, order := range [][3]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		for _, crash := range []bool{false, true} {
			w := newScriptWorld(t)
			w.clock = instant(t, "2026-03-01T10:30:00Z")
			w.apply(t, `apiVersion: nudge/v1
kind: Campaign
metadata: {name: cart}
spec:
  trigger: {event: {name: Cart}}
  reentry: {key: event.properties.id}
  goals: [{id: bought, event: Bought, match: id, window: 3d}]
  steps: [{id: rest, delay: 1h}, {id: mail, send: {channel: email}}]
`)
			w.out.Reset()
			for _, i := range order {
				w.frame(t, records[i])
				w.clock += 60_000
				if crash {
					w.recover(t)
				}
			}
			w.advance(t, "30d")
			text := w.out.String()
			if strings.Count(text, " entered ") > 1 || strings.Contains(text, " sent ") || len(w.sent) > 0 {
				t.Errorf("order %v, crash %v:\n%s", order, crash, text)
			}
		}
	}
}
