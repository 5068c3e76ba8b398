package audit_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/sim/audit"
)

// lines returns the deliveries, each with its status and reason.
func (h *history) lines() string {
	var all []string
	for _, d := range h.Deliveries() {
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s%d/%s/%s@%s %s %s", d.Campaign, d.Entry, d.Step, d.Channel,
			ms(d.At), d.Status, d.Reason)))
	}
	return strings.Join(all, ", ")
}

func (h *history) want(t *testing.T, lines string) {
	t.Helper()
	if got := h.lines(); got != lines {
		t.Errorf("unexpected lines;\ngot  %s\nwant %s", got, lines)
	}
}

func named(name string, p audit.Policy, steps ...audit.Step) audit.Campaign {
	c := onCart(steps...)
	c.Name, c.Policy = name, p
	return c
}

// TestCapIsRolling has two chains compete for a cap of one. The higher priority sends; the other waits until
// that message is exactly as old as the window.
func TestCapIsRolling(t *testing.T) {
	defers := audit.Step{ID: "s", Send: &audit.Send{Channels: []string{"email"}, OnCap: audit.CapDefer}}
	h := play(
		named("a", audit.Policy{Caps: []string{"one"}}, defers),
		named("b", audit.Policy{Caps: []string{"one"}, Priority: 1}, send("s")),
	)
	h.SetPolicies(audit.WorkspacePolicy{Caps: []audit.Cap{{Name: "one", Limit: 1, Window: time.Hour}}})
	h.track(0, 0, "Cart", nil)
	h.tick(hour - 1)
	h.want(t, "b1/s/email@0s handed_off, a1/s/email@0s deferred cap")
	h.tick(hour)
	h.want(t, "b1/s/email@0s handed_off, a1/s/email@0s deferred cap, a1/s/email@1h0m0s handed_off")
}

// TestCapIsGivenBack: a failed message gives its place under the cap back at once, a recalled one does not.
func TestCapIsGivenBack(t *testing.T) {
	defers := audit.Step{ID: "s", Send: &audit.Send{Channels: []string{"email"}, OnCap: audit.CapDefer}}
	h := play(named("a", audit.Policy{Caps: []string{"one"}}, defers),
		named("b", audit.Policy{Caps: []string{"one"}, Priority: 1}, send("s")))
	h.SetPolicies(audit.WorkspacePolicy{Caps: []audit.Cap{{Name: "one", Limit: 1, Per: "month"}}})
	h.track(0, 0, "Cart", nil)
	h.tick(minute)
	h.Result(audit.Result{
		Campaign: "b", Customer: "u", Entry: 1, Step: "s", Channel: "email", Attempt: 1, Verdict: audit.Permanent,
	})
	h.want(t, "b1/s/email@0s handed_off, a1/s/email@0s deferred cap, a1/s/email@1m0s handed_off")
}

// TestQuietHours has quiet hours from 01:00 to 02:00 UTC: 01:00 is inside, 02:00 is not.
func TestQuietHours(t *testing.T) {
	h := play(named("a", audit.Policy{Quiet: &audit.Quiet{From: 60, To: 120}}, send("s")))
	h.track(hour-1, 0, "Cart", nil)
	h.track(hour, 0, "Cart", nil)
	h.tick(2*hour - 1)
	h.want(t, "a1/s/email@59m59.999s handed_off, a2/s/email@1h0m0s deferred quiet_hours")
	h.track(2*hour, 0, "Other", nil)
	h.want(t, "a1/s/email@59m59.999s handed_off, a2/s/email@1h0m0s deferred quiet_hours, "+
		"a2/s/email@2h0m0s handed_off")
}

// TestGroup: of two chains that one record would start the higher priority enters; a still higher one preempts
// it later.
func TestGroup(t *testing.T) {
	p := func(priority int, preempt bool) audit.Policy {
		return audit.Policy{Group: "g", Priority: priority, Preempt: preempt}
	}
	high := named("c", p(3, true), delay(time.Hour))
	high.Trigger.Event = "High"
	h := play(named("a", p(1, false), delay(24*time.Hour)), named("b", p(2, false), delay(24*time.Hour)), high)
	h.track(0, 0, "Cart", nil)
	h.track(1, 0, "High", nil)
	h.track(2, 0, "Cart", nil)
	h.expect(t, "", "b1 preempted 0s-1ms, c1 active 1ms-0s")
	h.refused(t, "a group 2, b group 1")
}

// TestDedupe: the key is free again exactly one window after the first delivery.
func TestDedupe(t *testing.T) {
	p := audit.Policy{DedupeProperty: "id", DedupeWindow: time.Hour}
	h := play(named("a", p, send("s")))
	h.track(0, 0, "Cart", props("id", "A"))
	h.track(hour-1, 0, "Cart", props("id", "A"))
	h.track(hour, 0, "Cart", props("id", "A"))
	h.want(t, "a1/s/email@0s handed_off, a2/s/email@59m59.999s dropped dedupe, a3/s/email@1h0m0s handed_off")
}

// TestLoop: a send with a loop of two is sent three times, then the chain goes on to the next step.
func TestLoop(t *testing.T) {
	ask := send("ask")
	ask.Loop = 2
	rest := delay(time.Hour)
	rest.Goto = "ask"
	h := play(onCart(ask, rest, send("last")))
	h.track(0, 0, "Cart", nil)
	h.tick(day)
	h.want(t, "c1/ask/email@0s handed_off, c1/ask/email@1h0m0s handed_off, c1/ask/email@2h0m0s handed_off, "+
		"c1/last/email@3h0m0s handed_off")
}

// TestStreak: an event that comes late joins those on either side of it; events of a complete streak do not
// count again.
func TestStreak(t *testing.T) {
	c := onCart(send("s"))
	c.Trigger = audit.Trigger{Kind: audit.KindStreak, Event: "Order", Length: 3, MaxGap: time.Hour, BreakOn: "Refund"}
	h := play(c)
	h.track(day, 0, "Order", nil)
	h.track(day+2*hour, 0, "Order", nil)
	h.want(t, "")
	h.track(day+2*hour, hour, "Order", nil)
	h.want(t, "c1/s/email@26h0m0s handed_off")
	h.track(day+3*hour, 0, "Order", nil)
	h.track(day+3*hour, 0, "Refund", nil)
	h.track(day+3*hour, 0, "Order", nil)
	h.track(day+3*hour, 0, "Order", nil)
	h.want(t, "c1/s/email@26h0m0s handed_off")
}

// TestReversal: a conversion is taken back once, also after the chain has ended.
func TestReversal(t *testing.T) {
	c := onCart(delay(time.Hour))
	c.Goals = []audit.Goal{{
		ID: "g", Match: audit.Match{Event: "Order"}, Window: time.Hour, Stop: true, ReverseOn: "Refund",
	}}
	h := play(c)
	h.track(0, 0, "Cart", nil)
	h.track(1, 0, "Order", nil)
	h.track(2, 0, "Refund", nil)
	h.track(3, 0, "Refund", nil)
	if got := h.Conversions(); len(got) != 2 || got[0].Reversal || !got[1].Reversal {
		t.Errorf("unexpected conversions %+v", got)
	}
	h.expect(t, "", "c1 goal 0s-1ms")
}

// TestReversalOfTwoGoals: one event takes back all goals that name it, in the order of the definition.
func TestReversalOfTwoGoals(t *testing.T) {
	c := onCart(delay(time.Hour))
	c.Goals = []audit.Goal{
		{ID: "ordered", Match: audit.Match{Event: "Order"}, ReverseOn: "Refund"},
		{ID: "paid", Match: audit.Match{Event: "Payment"}, ReverseOn: "Refund"},
	}
	h := play(c)
	h.track(0, 0, "Cart", nil)
	h.track(1, 0, "Payment", nil)
	h.track(2, 0, "Order", nil)
	h.track(3, 0, "Refund", nil)
	var got []string
	for _, c := range h.Conversions() {
		got = append(got, fmt.Sprint(c.Goal, c.Reversal))
	}
	if s := strings.Join(got, " "); s != "paidfalse orderedfalse orderedtrue paidtrue" {
		t.Errorf("unexpected conversions %s", s)
	}
}
