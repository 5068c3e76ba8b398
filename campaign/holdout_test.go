package campaign

import (
	"math"
	"strconv"
	"testing"
)

// The buckets never change: they were computed by other means.
func TestBucket(t *testing.T) {
	// shows: 198
	for _, c := range []struct {
		salt, customer string
		want           int
	}{
		{"cart-abandoned", "ann", 1822},
		{"cart-abandoned", "u-1", 8155},
		{"offer-2", "ann", 9742},
		{"", "", 3192},
	} {
		if got := Bucket(c.salt, c.customer); got != c.want {
			t.Errorf("%q, %q: bucket %d; want %d", c.salt, c.customer, got, c.want)
		}
	}
}

// The share of the held out is the percentage, under every salt; a larger percentage
// only adds customers.
func TestHoldoutShare(t *testing.T) {
	// shows: 198
	const customers = 100_000
	for _, salt := range []string{"cart", "offer-2", "x"} {
		for _, below := range []int{1, 500, 1225, 5000, 10_000} {
			p := &Program{Name: salt, Policy: Conduct{Holdout: &Holdout{Below: below}}}
			more := &Program{Name: "other", Policy: Conduct{Holdout: &Holdout{Below: min(below+100, buckets), Salt: salt}}}
			held := 0
			for i := range customers {
				id := "customer-" + strconv.Itoa(i)
				if p.holdsOut(id) {
					held++
					if !more.holdsOut(id) {
						t.Fatalf("%s: %s is held out at %d and not above", salt, id, below)
					}
				}
			}
			share := float64(below) / buckets
			if tolerance := 4 * math.Sqrt(customers*share*(1-share)); math.Abs(float64(held)-customers*share) > tolerance {
				t.Errorf("%s: %d of %d are held out; want %v", salt, held, customers, customers*share)
			}
		}
	}
	if (&Program{Name: "c"}).holdsOut("ann") {
		t.Error("a campaign without a holdout holds out")
	}
}

// A held-out chain walks the same steps, with ghosts that take nothing: neither a place
// under a cap nor a key, and nobody is to send them.
func TestGhosts(t *testing.T) {
	// shows: 198
	const text = `apiVersion: nudge/v1
kind: Policy
metadata: {name: p}
spec: {caps: [{name: one, limit: 1, window: 24h}]}
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: held}
spec:
  trigger: {event: {name: E}}
  goals: [{id: g, event: B, window: 3d}]
  policy: {holdout: {percent: 100}, priority: 9, caps: [one], dedupe: {key: trigger.properties.id, window: 1d}}
  steps:
    - {id: s1, send: {channel: email}}
    - {id: s2, send: {channel: email}}
    - {id: d, delay: 1h}
    - {id: s3, send: {channel: email}}
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: real}
spec:
  trigger: {event: {name: E}}
  policy: {caps: [one], dedupe: {key: trigger.properties.id, window: 1d}}
  steps:
    - {id: s, send: {channel: email}}
`
	s := newStage(t, text)
	s.now = 1_772_359_200_000
	s.event("E", `{"id":"1"}`)
	// The ghosts came first and took nothing, so the real one goes; then the cap is full,
	// for the ghost as for everybody.
	if len(s.ghosts) != 2 || len(s.sent) != 1 || s.sent[0].Campaign != "real" || len(s.c.Pending) != 1 {
		t.Fatalf("%d ghosts, %d sent, %d pending; want 2, 1, 1", len(s.ghosts), len(s.sent), len(s.c.Pending))
	}
	s.advance(s.now + hourMillis)
	if len(s.ghosts) != 2 || len(s.refused) != 1 || s.refused[0].Reason != ReasonCap {
		t.Fatalf("%d ghosts, refused %+v; want the third refused by the cap", len(s.ghosts), s.refused)
	}
	s.out.Reset()
	s.m.Apply(s.c, &Event{Workspace: "w", Customer: "ann", ID: "b", Type: Track, Name: "B", Time: s.now}, s.now, false, &s.out)
	if len(s.out.Goals) != 1 || s.out.Goals[0].Step != "s2" || len(s.out.Chains) != 1 || !s.out.Chains[0].HeldOut {
		t.Errorf("goals %+v, chains %+v; want the goal of the held-out chain after s2", s.out.Goals, s.out.Chains)
	}
}
