package audit_test

import (
	"testing"
	"time"

	"github.com/nudge-engine/nudge/sim/audit"
)

func paused(c audit.Campaign, queue, freeze bool) audit.Campaign {
	c.Status, c.Queue, c.Freeze = audit.Paused, queue, freeze
	return c
}

// TestFreeze: a pause that freezes holds timers, and what is overdue goes on after it. An event may answer a
// wait meanwhile, but the next step begins after the pause.
func TestFreeze(t *testing.T) {
	c := onCart(audit.Step{ID: "w", Wait: &audit.Wait{
		Timeout: time.Hour, For: []audit.WaitFor{{Match: audit.Match{Event: "Next"}}},
	}}, send("s"))
	for _, event := range []string{"Next", "Other"} {
		h := play(c)
		h.track(0, 0, "Cart", nil)
		h.Apply([]audit.Campaign{paused(c, false, true)})
		h.track(minute, 0, event, nil)
		h.tick(day)
		h.want(t, "")
		h.Apply([]audit.Campaign{c})
		h.tick(day + 1)
		h.want(t, "c1/s/email@24h0m0s handed_off")
	}
}

// TestFreezeEnds: in a pause a chain can come to its end, and a stop ends it.
func TestFreezeEnds(t *testing.T) {
	c := onCart(audit.Step{ID: "w", Wait: &audit.Wait{
		Timeout: time.Hour, For: []audit.WaitFor{{Match: audit.Match{Event: "Done"}, Goto: audit.End}},
	}}, send("s"))
	c.Stops = []audit.Match{{Event: "Stop"}}
	for event, outcome := range map[string]string{"Done": audit.Completed, "Stop": audit.Stopped} {
		h := play(c)
		h.track(0, 0, "Cart", nil)
		h.Apply([]audit.Campaign{paused(c, false, true)})
		h.track(minute, 0, event, nil)
		if got := h.Chains()[0]; got.Outcome != outcome || got.EndedAt != minute {
			t.Errorf("%s: the chain is %s at %s; want %s at 1m", event, got.Outcome, ms(got.EndedAt), outcome)
		}
	}
}

// TestQueue: a pause that queues keeps entries and offers them in their order, unless they are too old by
// then.
func TestQueue(t *testing.T) {
	c := onCart(send("s"))
	c.MaxEventAge = 2 * time.Hour
	c.Reentry.OnActive = audit.ActiveParallel
	h := play(c)
	h.Apply([]audit.Campaign{paused(c, true, false)})
	h.track(0, 0, "Cart", nil)
	h.track(hour, 0, "Cart", nil)
	h.track(2*hour, 0, "Cart", nil)
	h.tick(3 * hour)
	h.want(t, "")
	h.Apply([]audit.Campaign{c})
	h.tick(3*hour + 1)
	h.want(t, "c1/s/email@3h0m0s handed_off, c2/s/email@3h0m0s handed_off")
	h.refused(t, "c max_event_age 1")
}

// TestExisting: customers who are in a segment when its campaign becomes active start nothing, but enter with
// `existing: include`.
func TestExisting(t *testing.T) {
	gold := audit.P(audit.Comparison{Subject: audit.SubjectCustomer, Path: "level", Op: "==", Value: "gold"})
	c := audit.Campaign{
		Name: "c", Trigger: audit.Trigger{Kind: audit.KindSegment, When: gold}, Steps: []audit.Step{send("s")},
	}
	for _, existing := range []bool{false, true} {
		draft := c
		draft.Status, draft.Existing, c.Existing = audit.Draft, existing, existing
		h := play()
		h.identify(0, map[string]any{"level": "gold"})
		h.Apply([]audit.Campaign{draft})
		h.tick(minute)
		h.want(t, "")
		h.Apply([]audit.Campaign{c})
		h.tick(2 * minute)
		want := ""
		if existing {
			want = "c1/s/email@1m0s handed_off"
		}
		h.want(t, want)
		h.identify(3*minute, map[string]any{"level": "gold"})
		h.want(t, want)
	}
}

// TestExistingSilence: a customer who has entered for a silence does not enter for it again with `existing: include`.
func TestExistingSilence(t *testing.T) {
	c := audit.Campaign{
		Name: "c", Trigger: audit.Trigger{Kind: audit.KindInactivity, Event: "Visit", For: time.Hour},
		Steps: []audit.Step{send("s")},
	}
	h := play(c)
	h.track(0, 0, "Visit", nil)
	h.tick(2 * hour)
	c.Existing = true
	h.Apply([]audit.Campaign{c})
	h.tick(3 * hour)
	h.want(t, "c1/s/email@1h0m0s handed_off")
}

// TestCountedAgain: a counter that is dropped begins anew. Entries of a key count from when the mode needs them.
func TestCountedAgain(t *testing.T) {
	c := audit.Campaign{
		Name: "c", Trigger: audit.Trigger{Kind: audit.KindCount, Event: "Visit", Reaches: 2},
		Steps: []audit.Step{send("s")}, Existing: true,
	}
	other := onCart(send("s"))
	h := play(c)
	h.track(0, 0, "Visit", nil)
	h.Apply([]audit.Campaign{other})
	h.Apply([]audit.Campaign{c})
	h.track(minute, 0, "Visit", nil)
	h.want(t, "")
	h.track(2*minute, 0, "Visit", nil)
	h.want(t, "c1/s/email@2m0s handed_off")

	keyed := onCart(send("s"))
	keyed.Reentry.KeyProperty = "id"
	h = play(keyed)
	h.track(0, 0, "Cart", props("id", "A"))
	keyed.Reentry.Mode = audit.ModeOnce
	h.Apply([]audit.Campaign{keyed})
	for at := minute; at < 4*minute; at += minute {
		h.track(at, 0, "Cart", props("id", "A"))
	}
	h.want(t, "c1/s/email@0s handed_off, c2/s/email@1m0s handed_off")
}
