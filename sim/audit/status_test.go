package audit_test

import (
	"testing"
	"time"

	"github.com/nudge-engine/nudge/sim/audit"
)

// TestInFlight: a pinned chain goes on by its version, and the next one by the new version. With exit live
// chains end when something reaches their customer.
func TestInFlight(t *testing.T) {
	old := onCart(delay(time.Hour), send("old"))
	old.Reentry.OnActive = audit.ActiveParallel
	h := play(old)
	h.track(0, 0, "Cart", nil)
	next := onCart(delay(2*time.Hour), send("next"))
	next.Reentry, next.InFlight = old.Reentry, audit.Pin
	h.Apply([]audit.Campaign{next})
	h.track(minute, 0, "Cart", nil)
	h.tick(hour)
	h.want(t, "c1/old/email@1h0m0s handed_off")
	next.InFlight = audit.Exit
	h.Apply([]audit.Campaign{next})
	h.track(hour+1, 0, "Other", nil)
	h.tick(day)
	h.want(t, "c1/old/email@1h0m0s handed_off")
}

// TestPinnedMeasure: a chain that is pinned is measured by its version also when it has ended.
func TestPinnedMeasure(t *testing.T) {
	old := onCart(send("s"))
	old.Goals = []audit.Goal{{
		ID: "bought", Match: audit.Match{Event: "Order"}, Window: time.Hour, ReverseOn: "Refund", Stop: true,
	}}
	for inFlight, want := range map[string]int{audit.Pin: 2, "": 1} {
		h := play(old)
		h.track(0, 0, "Cart", nil)
		h.track(minute, 0, "Order", nil)
		next := onCart(send("s"))
		next.InFlight = inFlight
		h.Apply([]audit.Campaign{next})
		h.track(2*minute, 0, "Refund", nil)
		if got := len(h.Conversions()); got != want {
			t.Errorf("in_flight %q: %d conversions and reversals; want %d", inFlight, got, want)
		}
	}
}

// TestStatus: a pause refuses entries and lets chains go on; archiving ends them.
func TestStatus(t *testing.T) {
	c := onCart(delay(time.Hour), send("s"))
	c.Reentry.OnActive = audit.ActiveParallel
	h := play(c)
	h.track(0, 0, "Cart", nil)
	c.Status = audit.Paused
	h.Apply([]audit.Campaign{c})
	h.track(minute, 0, "Cart", nil)
	h.tick(2 * hour)
	h.want(t, "c1/s/email@1h0m0s handed_off")
	h.refused(t, "c paused 1")
	c.Status = ""
	h.Apply([]audit.Campaign{c})
	h.track(3*hour, 0, "Cart", nil)
	c.Status = audit.Archived
	h.Apply([]audit.Campaign{c})
	h.tick(day)
	h.want(t, "c1/s/email@1h0m0s handed_off")
}
