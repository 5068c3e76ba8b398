package audit_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/sim/audit"
)

const (
	second = int64(1000)
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour
)

// history feeds records to an auditor and compares the rows that result.
type history struct {
	*audit.Auditor
	n int
}

func play(campaigns ...audit.Campaign) *history {
	return &history{Auditor: audit.New(campaigns)}
}

// tick moves the clock through every timer's instant, so that none is late.
func (h *history) tick(at int64) {
	for {
		due, ok := h.Next()
		if !ok || due > at {
			h.Frame(at)
			return
		}
		h.Frame(due)
	}
}

// track applies an event of customer u at the instant; age is how much earlier
// it happened.
func (h *history) track(at, age int64, name string, properties map[string]any) {
	h.n++
	h.tick(at)
	h.Event(audit.Event{
		Customer: "u", ID: fmt.Sprintf("m%d", h.n), Name: name, Time: at - age,
		Type: audit.TypeTrack, Properties: properties,
	})
}

func (h *history) identify(at int64, traits map[string]any) {
	h.n++
	h.tick(at)
	h.Event(audit.Event{Customer: "u", ID: fmt.Sprintf("m%d", h.n), Time: at, Type: audit.TypeIdentify, Traits: traits})
}

// expect compares deliveries (campaign/step@at of trigger) and chains.
func (h *history) expect(t *testing.T, deliveries, chains string) {
	t.Helper()
	var got []string
	for _, d := range h.Deliveries() {
		line := fmt.Sprintf("%s%d/%s@%s", d.Campaign, d.Entry, d.Step, ms(d.At))
		if d.Due != d.At {
			line += "(" + ms(d.Due) + ")"
		}
		got = append(got, line+" "+d.TriggerID)
	}
	if s := strings.Join(got, ", "); s != deliveries {
		t.Errorf("unexpected deliveries;\ngot  %s\nwant %s", s, deliveries)
	}
	got = nil
	for _, c := range h.Chains() {
		line := fmt.Sprintf("%s%d %s %s-%s", c.Campaign, c.Entry, c.Outcome, ms(c.EnteredAt), ms(c.EndedAt))
		if c.Key != "" {
			line += " key=" + c.Key
		}
		if c.Goal != "" {
			line += fmt.Sprintf(" %s=%g", c.Goal, c.Value)
		}
		got = append(got, line)
	}
	if s := strings.Join(got, ", "); s != chains {
		t.Errorf("unexpected chains;\ngot  %s\nwant %s", s, chains)
	}
}

func (h *history) refused(t *testing.T, want string) {
	t.Helper()
	var got []string
	for _, r := range h.Refused() {
		got = append(got, fmt.Sprintf("%s %s %d", r.Campaign, r.Reason, r.Count))
	}
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("unexpected refusals; got %q; want %q", s, want)
	}
}

func ms(t int64) string { return (time.Duration(t) * time.Millisecond).String() }

func send(id string) audit.Step {
	return audit.Step{ID: id, Send: &audit.Send{Channels: []string{"email"}}}
}

func delay(d time.Duration) audit.Step {
	return audit.Step{ID: "d" + audit.Duration(d), Delay: &audit.Delay{For: d}}
}

func onCart(steps ...audit.Step) audit.Campaign {
	return audit.Campaign{Name: "c", Trigger: audit.Trigger{Kind: audit.KindEvent, Event: "Cart"}, Steps: steps}
}

func props(pairs ...any) map[string]any {
	m := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			panic("names are texts")
		}
		m[name] = pairs[i+1]
	}
	return m
}

func TestDelayFromStepAndEntryLate(t *testing.T) {
	entry := audit.Step{ID: "e", Delay: &audit.Delay{For: 3 * time.Hour, FromEntry: true}}
	again := delay(time.Hour)
	again.ID = "again"
	h := play(onCart(delay(time.Hour), send("a"), again, send("b"), entry, send("c")))
	h.track(0, 0, "Cart", nil)
	h.Frame(64 * minute) // the first timer comes four minutes late: the second counts from then
	h.Frame(124*minute - 1)
	h.Frame(124 * minute)
	h.Frame(3 * hour)
	h.expect(t, "c1/a@1h4m0s(1h0m0s) m1, c1/b@2h4m0s m1, c1/c@3h0m0s m1", "c1 completed 0s-3h0m0s")
}

// TestDowntime lets log time jump by two hours. Late timers wait a minute, then fire in the order of their
// instants, with one late send for each chain at a time.
func TestDowntime(t *testing.T) {
	b := onCart(delay(time.Hour), send("x"))
	b.Name = "b"
	entry := audit.Step{ID: "e", Delay: &audit.Delay{For: 90 * time.Minute, FromEntry: true}}
	h := play(onCart(delay(30*time.Minute), send("y"), entry, send("z")), b)
	h.track(0, 0, "Cart", nil)
	h.Frame(2 * hour)
	h.Frame(2*hour + minute - 1)
	h.expect(t, "", "b1 active 0s-0s, c1 active 0s-0s")
	h.Frame(2*hour + minute)
	h.expect(t, "c1/y@2h1m0s(30m0s) m1, b1/x@2h1m0s(1h0m0s) m1", "b1 completed 0s-2h1m0s, c1 active 0s-0s")
	h.Frame(2*hour + minute + 1)
	h.expect(t, "c1/y@2h1m0s(30m0s) m1, b1/x@2h1m0s(1h0m0s) m1, c1/z@2h1m0.001s(1h30m0s) m1",
		"b1 completed 0s-2h1m0s, c1 completed 0s-2h1m0.001s")
}

func TestTimerFiresBeforeTheRecordOfItsInstant(t *testing.T) {
	c := onCart(delay(time.Hour), send("a"), delay(time.Hour), send("b"))
	c.Stops = []audit.Match{{Event: "Clear"}}
	h := play(c)
	h.track(0, 0, "Cart", nil)
	h.track(hour, 0, "Clear", nil)
	h.tick(day)
	h.expect(t, "c1/a@1h0m0s m1", "c1 stopped 0s-1h0m0s")
}

func TestGoalStopsAndMatches(t *testing.T) {
	c := onCart(delay(time.Hour), send("a"))
	c.Reentry = audit.Reentry{KeyProperty: "cart_id"}
	c.Goals = []audit.Goal{{
		ID: "bought", Match: audit.Match{Event: "Order", Property: "cart_id"},
		Window: 2 * time.Hour, ValueProperty: "total", Stop: true,
	}}
	h := play(c)
	h.track(0, 0, "Cart", props("cart_id", "A"))
	h.track(0, 0, "Cart", props("cart_id", "B"))
	h.track(0, 0, "Cart", props())                                            // no key
	h.track(minute, 0, "Order", props("cart_id", "A", "total", 9.5))          // ends A
	h.track(2*minute, 3*minute, "Order", props("cart_id", "B", "total", 1.0)) // happened before B
	h.track(2*hour, 0, "Order", props("cart_id", "B", "total", 3.0))          // B has ended; window inclusive
	h.track(3*hour, 0, "Order", props("cart_id", "B", "total", 4.0))          // once a chain
	h.expect(t, "c2/a@1h0m0s m2",
		"c1 goal 0s-1m0s key=A bought=9.5, c2 completed 0s-1h0m0s key=B bought=3")
	h.refused(t, "c missing_key 1")
}

func TestGoalWindowFromDelivery(t *testing.T) {
	c := onCart(delay(time.Hour), send("a"), delay(4*time.Hour))
	c.Goals = []audit.Goal{{ID: "g", Match: audit.Match{Event: "Order"}, Window: time.Hour, FromDelivery: true}}
	for _, x := range []struct {
		at   int64
		want string
	}{
		{30 * minute, " g=0"}, // nothing was sent: the window has no end yet
		{2 * hour, " g=0"},
		{2*hour + 1, ""},
	} {
		h := play(c)
		h.track(0, 0, "Cart", nil)
		h.track(x.at, 0, "Order", nil)
		h.tick(day)
		h.expect(t, "c1/a@1h0m0s m1", "c1 completed 0s-5h0m0s"+x.want)
	}
}

func TestGoalWithoutWindowLivesAsTheChain(t *testing.T) {
	c := onCart(send("a"))
	c.Goals = []audit.Goal{{ID: "g", Match: audit.Match{Event: "Order"}}}
	h := play(c)
	h.track(0, 0, "Cart", nil)
	h.track(0, 0, "Order", nil)
	h.expect(t, "c1/a@0s m1", "c1 completed 0s-0s")
}

func TestAlreadyConvertedAndAge(t *testing.T) {
	c := onCart(send("a"))
	c.MaxEventAge = time.Hour
	c.Goals = []audit.Goal{{ID: "g", Match: audit.Match{Event: "Order", Property: "cart_id"}}}
	h := play(c)
	h.track(day, 0, "Order", props("cart_id", "A"))
	h.track(day, 0, "Cart", props("cart_id", "A"))               // same instant: not later
	h.track(day+minute, 2*minute, "Cart", props("cart_id", "A")) // order came after it
	h.track(day+minute, 2*minute, "Cart", props("cart_id", "B")) // another cart
	h.track(day+hour, hour, "Cart", props("cart_id", "B"))       // exactly as old as may be
	h.track(day+hour, hour+1, "Cart", props("cart_id", "B"))
	h.expect(t, "c1/a@24h0m0s m2, c2/a@24h1m0s m4, c3/a@25h0m0s m5",
		"c1 completed 24h0m0s-24h0m0s, c2 completed 24h1m0s-24h1m0s, c3 completed 25h0m0s-25h0m0s")
	h.refused(t, "c already_converted 1, c max_event_age 1")
}

func TestAudienceSeesTheTriggerAndTraits(t *testing.T) {
	c := onCart(send("a"))
	c.Audience = audit.P(
		audit.Comparison{Subject: audit.SubjectCustomer, Count: "Cart", Op: ">=", Value: 2.0},
		audit.Comparison{Subject: audit.SubjectCustomer, Path: "level", Op: "!=", Value: "gold"})
	h := play(c)
	h.track(0, 0, "Cart", nil)
	h.track(1000, 0, "Cart", nil) // level is missing: != is false too
	h.identify(2000, props("level", "gold"))
	h.track(3000, 0, "Cart", nil)
	h.identify(4000, props("level", "silver", "x", 1.0))
	h.track(5000, 0, "Cart", nil)
	h.identify(6000, props("level", nil))
	h.track(7000, 0, "Cart", nil)
	h.expect(t, "c1/a@5s m6", "c1 completed 5s-5s")
	h.refused(t, "c audience 4")
}

func TestCountFiresOnceEver(t *testing.T) {
	c := onCart(send("a"))
	big := audit.P(audit.Comparison{Subject: audit.SubjectEvent, Path: "v", Op: ">=", Value: 10.0})
	c.Trigger = audit.Trigger{Kind: audit.KindCount, Event: "Cart", Where: big, Reaches: 2}
	h := play(c)
	h.track(0, 0, "Cart", props("v", 10.0))
	h.Event(audit.Event{Customer: "u", ID: "m1", Name: "Cart", Type: audit.TypeTrack, Properties: props("v", 10.0)})
	h.track(1000, 0, "Cart", props("v", 9.0))
	h.track(2000, 0, "Cart", props("v", "x")) // another kind: an error, false
	h.track(3000, 0, "Cart", props("v", 11.0))
	h.track(4000, 0, "Cart", props("v", 12.0))
	h.expect(t, "c1/a@3s m4", "c1 completed 3s-3s")
}

func TestInactivity(t *testing.T) {
	c := onCart(send("a"))
	c.Trigger = audit.Trigger{Kind: audit.KindInactivity, Event: "Order", For: 48 * time.Hour}
	h := play(c)
	h.track(0, 0, "Order", nil)
	h.track(day, 0, "Order", nil)
	h.track(2*day, 36*hour, "Order", nil) // an older one: the instant stays 3d
	h.track(3*day, 0, "Order", nil)       // its timer fires before it
	h.tick(4 * day)
	h.track(9*day, 2*day, "Order", nil)   // at its instant, but old: arms nothing
	h.track(9*day, 36*hour, "Order", nil) // old too, but its instant is ahead
	h.tick(20 * day)
	h.expect(t, "c1/a@72h0m0s m2, c2/a@120h0m0s m4, c3/a@228h0m0s m6",
		"c1 completed 72h0m0s-72h0m0s, c2 completed 120h0m0s-120h0m0s, c3 completed 228h0m0s-228h0m0s")
}

func TestInactivityFromProfile(t *testing.T) {
	c := onCart(send("a"))
	c.Trigger = audit.Trigger{Kind: audit.KindInactivity, Event: "Order", For: time.Hour, FromProfile: true}
	h := play(c)
	h.identify(0, props("level", "gold"))
	h.track(minute, 0, "Cart", nil)
	h.tick(hour)
	h.track(hour, 0, "Order", nil)
	h.tick(2 * hour)
	h.expect(t, "c1/a@1h0m0s m1, c2/a@2h0m0s m3", "c1 completed 1h0m0s-1h0m0s, c2 completed 2h0m0s-2h0m0s")
}

func TestReentryModes(t *testing.T) {
	c := onCart(send("a"), delay(time.Hour))
	run := func(r audit.Reentry, at ...int64) *history {
		c.Reentry = r
		h := play(c)
		for _, x := range at {
			h.track(x, 0, "Cart", nil)
		}
		h.tick(day)
		return h
	}
	h := run(audit.Reentry{Mode: audit.ModeOnce}, 0, 2*hour)
	h.expect(t, "c1/a@0s m1", "c1 completed 0s-1h0m0s")

	h = run(audit.Reentry{Mode: audit.ModeCooldown, Cooldown: 2 * time.Hour}, 0, 2*hour-1, 2*hour)
	h.expect(t, "c1/a@0s m1, c2/a@2h0m0s m3", "c1 completed 0s-1h0m0s, c2 completed 2h0m0s-3h0m0s")

	h = run(audit.Reentry{Mode: audit.ModeCooldown, Cooldown: 2 * time.Hour, FromExit: true}, 0, 2*hour, 3*hour)
	h.expect(t, "c1/a@0s m1, c2/a@3h0m0s m3", "c1 completed 0s-1h0m0s, c2 completed 3h0m0s-4h0m0s")

	h = run(audit.Reentry{MaxActive: 2}, 0, 1000, 2000, hour)
	h.expect(t, "c1/a@0s m1, c2/a@1s m2, c3/a@1h0m0s m4",
		"c1 completed 0s-1h0m0s, c2 completed 1s-1h0m1s, c3 completed 1h0m0s-2h0m0s")
	h.refused(t, "c max_active 1")
}

func TestOnActive(t *testing.T) {
	c := onCart(delay(time.Hour), send("a"))
	run := func(on string) *history {
		c.Reentry = audit.Reentry{OnActive: on}
		h := play(c)
		h.track(0, 0, "Cart", nil)
		h.track(30*minute, 0, "Cart", nil)
		h.tick(hour)
		h.tick(90 * minute)
		return h
	}
	run(audit.ActiveIgnore).expect(t, "c1/a@1h0m0s m1", "c1 completed 0s-1h0m0s")
	run(audit.ActiveParallel).expect(t, "c1/a@1h0m0s m1, c2/a@1h30m0s m2",
		"c1 completed 0s-1h0m0s, c2 completed 30m0s-1h30m0s")
	run(audit.ActiveRestart).expect(t, "c2/a@1h30m0s m2", "c1 stopped 0s-30m0s, c2 completed 30m0s-1h30m0s")
	run(audit.ActiveRefresh).expect(t, "c1/a@1h30m0s m2", "c1 completed 0s-1h30m0s")
}

func TestParallelIsBoundedByTheCustomer(t *testing.T) {
	c := onCart(delay(time.Hour), send("a"))
	c.Reentry = audit.Reentry{OnActive: audit.ActiveParallel}
	h := play(c)
	for i := range int64(101) {
		h.track(i, 0, "Cart", nil)
	}
	h.refused(t, "c max_active 1")
	if n := len(h.Chains()); n != 100 {
		t.Errorf("unexpected chains; got %d; want 100", n)
	}
}

func TestWaitBranchExit(t *testing.T) {
	wait := audit.Step{ID: "w", Wait: &audit.Wait{
		Timeout: time.Hour, OnTimeout: "late",
		For: []audit.WaitFor{{Match: audit.Match{Event: "Click"}, Goto: "end"}, {Match: audit.Match{Event: "Read"}}},
	}}
	gold := audit.P(audit.Comparison{Subject: audit.SubjectCustomer, Path: "level", Op: "==", Value: "gold"})
	branch := audit.Step{ID: "b", Branch: &audit.Branch{Arms: []audit.Arm{{When: gold, Goto: "late"}}}}
	c := onCart(wait, branch, send("plain"), audit.Step{ID: "x", Exit: true}, send("late"))
	end := func(name string) *history {
		h := play(c)
		h.track(0, 0, "Cart", nil)
		if name != "" {
			h.track(minute, 0, name, nil)
		}
		h.tick(hour)
		return h
	}
	end("Click").expect(t, "", "c1 completed 0s-1m0s")
	end("Read").expect(t, "c1/plain@1m0s m1", "c1 exited 0s-1m0s")
	end("").expect(t, "c1/late@1h0m0s m1", "c1 completed 0s-1h0m0s")
	h := play(c)
	h.identify(0, props("level", "gold"))
	h.track(0, 0, "Cart", nil)
	h.track(minute, 0, "Read", nil)
	h.expect(t, "c1/late@1m0s m2", "c1 completed 0s-1m0s")
}

func TestWaitSinceEntryLooksBack(t *testing.T) {
	wait := audit.Step{ID: "w", Wait: &audit.Wait{
		Timeout: time.Hour, FromEntry: true,
		For: []audit.WaitFor{{Match: audit.Match{Event: "Click"}, Goto: "s"}, {Match: audit.Match{Event: "Cart"}}},
	}}
	c := onCart(delay(time.Hour), wait, audit.Step{ID: "x", Exit: true}, send("s"))
	h := play(c)
	h.track(0, 0, "Click", nil)        // before the trigger
	h.track(minute, 0, "Cart", nil)    // the trigger itself is not seen
	h.track(2*minute, 0, "Click", nil) // the wait is not open yet
	h.track(3*minute, 0, "Cart", nil)  // refused, and seen, but later in the log
	h.tick(2 * hour)
	h.expect(t, "c1/s@1h1m0s m2", "c1 completed 1m0s-1h1m0s")
}

func TestHistoricalStartsNothingButCounts(t *testing.T) {
	c := onCart(delay(time.Hour), send("a"))
	c.Stops = []audit.Match{{Event: "Clear"}}
	h := play(c)
	h.Event(audit.Event{Customer: "u", ID: "x", Name: "Cart", Type: audit.TypeTrack, Historical: true})
	h.track(0, 0, "Cart", nil)
	h.Event(audit.Event{Customer: "u", ID: "y", Name: "Clear", Type: audit.TypeTrack, Historical: true})
	h.expect(t, "", "c1 stopped 0s-0s")
	h.refused(t, "c historical 1")
}

// TestApplyAgain changes the definition of live chains. A chain goes on at the step with its step's id,
// and ends if there is none; the timer of a delay goes by the new duration.
func TestApplyAgain(t *testing.T) {
	h := play(onCart(delay(time.Hour), send("a")))
	h.track(0, 0, "Cart", nil)
	longer := delay(time.Hour)
	longer.Delay.For = 5 * time.Hour
	h.Apply([]audit.Campaign{onCart(longer, send("b"))})
	h.tick(6 * hour)
	h.track(7*hour, 0, "Cart", nil)
	h.Apply([]audit.Campaign{onCart(send("c"))})
	h.tick(12 * hour)
	h.expect(t, "c1/b@5h0m0s m1", "c1 completed 0s-5h0m0s, c2 exited 7h0m0s-12h0m0s")
}
