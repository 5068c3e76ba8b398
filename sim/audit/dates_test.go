package audit_test

import (
	"testing"
	"time"

	"github.com/nudge-engine/nudge/sim/audit"
)

// dated is a campaign that starts by the trait day. The clock of the tests begins at 1970-01-01T00:00:00Z.
func dated(t audit.Trigger, steps ...audit.Step) audit.Campaign {
	c := onCart(steps...)
	t.Kind, t.Path = audit.KindDate, "day"
	c.Trigger, c.Reentry = t, audit.Reentry{OnActive: audit.ActiveParallel}
	return c
}

// TestDate has two offsets, two days and one day before the tenth, at nine: each fires once.
func TestDate(t *testing.T) {
	h := play(dated(audit.Trigger{Offsets: []int{-2, -1}, HasAt: true, Minute: 9 * 60}, send("s")))
	h.identify(0, props("day", "1970-01-10"))
	h.identify(6*day, props("day", "1970-01-10"))
	h.tick(7*day + 9*hour)
	h.want(t, "c1/s/email@177h0m0s handed_off")
	h.tick(20 * day)
	h.want(t, "c1/s/email@177h0m0s handed_off, c2/s/email@201h0m0s handed_off")
}

// TestDateMoves changes the date several times. A day that is over when the date comes starts nothing, and
// a day that fired does not fire again.
func TestDateMoves(t *testing.T) {
	h := play(dated(audit.Trigger{}, send("s")))
	h.identify(0, props("day", "1970-01-03"))
	h.identify(day, props("day", "1970-01-05"))
	h.identify(3*day, props("day", "1970-01-02"))
	h.identify(3*day+1, props("day", "1970-01-06"))
	h.tick(5 * day)
	h.identify(5*day+1, props("day", nil))
	h.identify(5*day+2, props("day", "1970-01-06"))
	h.tick(30 * day)
	h.want(t, "c1/s/email@120h0m0s handed_off")
}

// TestDateCaughtUp corrects a birthday to yesterday: it still fires, within catch_up and once a year.
func TestDateCaughtUp(t *testing.T) {
	h := play(dated(audit.Trigger{Repeat: audit.Yearly, CatchUp: 24 * time.Hour}, send("s")))
	h.identify(0, props("day", "1950-01-20"))
	h.identify(9*day, props("day", "--01-09"))
	h.tick(9*day + 1)
	h.want(t, "c1/s/email@216h0m0s handed_off")
	h.identify(10*day, props("day", "--01-15"))
	h.tick(100 * day)
	h.want(t, "c1/s/email@216h0m0s handed_off")
}

// TestDateLeap has a birthday on 29 February in a year without that day.
func TestDateLeap(t *testing.T) {
	for rule, want := range map[string]string{
		"": "c1/s/email@1392h0m0s handed_off", audit.Mar1: "c1/s/email@1416h0m0s handed_off", audit.LeapOnly: "",
	} {
		h := play(dated(audit.Trigger{Repeat: audit.Yearly, Feb29: rule}, send("s")))
		h.identify(0, props("day", "1952-02-29"))
		h.tick(90 * day)
		h.want(t, want)
	}
}
