package campaign

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/internal/goldentest"
	"github.com/nudge-engine/nudge/internal/wire"
)

// Nothing changes before the instant that the clock of an expression names: over random
// customers, the value is looked at each half second.
func TestValueClock(t *testing.T) {
	lang, err := NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	const second = 1000
	changes := 0
	for _, source := range []string{
		`customer.count("E", "20s") >= 2`,
		`customer.sum("E", "n", "15s") > 3.0 || customer.count("F", "40s") == 1`,
		`customer.first("E", "30s") < customer.last("F", "10s")`,
		`now - customer.last("E") > duration("9s")`,
		`now - duration("9s") >= customer.last("E")`,
		`customer.last("E") + duration("9s") < now && !(now <= timestamp(customer.traits.at))`,
		`timestamp(customer.traits.at) - now <= duration("3s") ? customer.count("E", "5s") > 0 : now > customer.created_at`,
		`now - customer.last("E") > timestamp(customer.traits.at) - now`,
		`(now > timestamp(customer.traits.at)) == (customer.count("E", "10s") > 1)`,
	} {
		e, err := lang.compileExpr(source, celBool(true))
		if err != nil {
			t.Fatal(err)
		}
		clock, err := lang.clockOf(e)
		if err != nil {
			t.Fatal(err)
		}
		for seed := range uint64(25) {
			r := seeded(seed)
			c := NewCustomer("w", "ann", r.Int64N(60)*second, 1)
			c.Traits = fmt.Appendf(nil, `{"at":"%s"}`, FormatTime(r.Int64N(120)*second/2+1))
			for _, name := range []string{"E", "F"} {
				for range r.IntN(6) {
					at := r.Int64N(60) * second / 2
					c.ensureWindow(name).add(at, []Sum{{Property: "n", Total: Money(r.Int64N(4)) * microsPerUnit}}, -1)
					n := c.ensureCounter(counterID(name, ""))
					n.Count, n.Last = n.Count+1, max(n.Last, at)
				}
			}
			changes += walkClock(t, e, &clock, c, 120*second)
		}
	}
	if changes < 100 {
		t.Errorf("only %d changes were seen", changes)
	}
}

// walkClock goes from one instant that the clock names to the next and looks at the value
// in between. It says how often the value changed.
func walkClock(t *testing.T, e *Expr, clock *valueClock, c *Customer, end int64) (changes int) {
	t.Helper()
	s := newScope()
	s.customer.set(c)
	at := func(now int64) bool {
		s.now = now
		holds, err := e.holds(s)
		if err != nil {
			t.Fatal(err)
		}
		return holds
	}
	for now := int64(30_000); now < end; { // after all that happened
		is := at(now)
		next := clock.next(s)
		if next != 0 && next <= now {
			t.Fatalf("%s: after %d comes %d", e.Source, now, next)
		}
		until := next
		if next == 0 || next > end {
			until = end
		}
		for between := now; between < until; between += 499 {
			if at(between) != is {
				t.Fatalf("%s is %v at %d and not at %d; a change was said for %d", e.Source, is, now, between, next)
			}
		}
		if at(until-1) != is {
			t.Fatalf("%s is %v at %d and not before %d", e.Source, is, now, next)
		}
		if at(until) != is {
			changes++
		}
		now = until
	}
	return changes
}

// A value whose change nobody can foresee is refused, and what may be written is said.
func TestValueClockErrors(t *testing.T) {
	lang, err := NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	for when, want := range map[string]string{
		`now.getHours() > 9`:                                                      "now can only be compared",
		`string(now) > "2026"`:                                                    "now can only be compared",
		`now == customer.last("E")`:                                               "now can only be compared",
		`now in [customer.last("E")]`:                                             "now can only be compared",
		`(now - customer.last("E")).getHours() > 3`:                               "now can only be compared",
		`int(now) - int(customer.last("E")) > 3`:                                  "now can only be compared",
		`now > customer.traits.ends_at`:                                           "write timestamp(customer.traits.ends_at)",
		`customer.traits.ends_at < now - duration("1h")`:                          "write timestamp(customer.traits.ends_at)",
		`customer.tags.exists(t, now > timestamp(t))`:                             "now cannot stand in a loop",
		`(customer.tagged("x") ? now : customer.created_at) > customer.last("E")`: "now can only be compared",
		`now - customer.last("E") > duration("3d")`:                               `write duration("72h")`,
		`event.properties.x > 1.0 && now > customer.created_at`:                   "must look at customer",
	} {
		text := "apiVersion: nudge/v1\nkind: Campaign\nmetadata: {name: c}\nspec:\n  trigger:\n    segment:\n      when: '" +
			when + "'\n  steps: [{id: x, exit: {}}]\n"
		_, err := Parse(lang, "f.yaml", []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "f.yaml:7:") {
			t.Errorf("%s: error %v; want %q", when, err, want)
		}
	}
	for _, value := range []string{
		`now - customer.last("E") > duration("72h") ? 1 : 0`, `customer.sum("E", "total", "30d") * 2.0 + 1.0`,
	} {
		text := "apiVersion: nudge/v1\nkind: Campaign\nmetadata: {name: c}\nspec:\n  trigger: {threshold: {crosses: up, at: 1, value: '" +
			value + "'}}\n  steps: [{id: x, exit: {}}]\n"
		if _, err := Parse(lang, "f.yaml", []byte(text)); err != nil {
			t.Errorf("%s: %v", value, err)
		}
	}
}

// When a value may change is stored, and is a timer.
func TestLevelTimerSection(t *testing.T) {
	c := NewCustomer("default", "ann", 1000, 7)
	c.Levels = []Level{{Campaign: "a", Spec: 7, On: true, Due: 9000}, {Campaign: "b", Spec: 8, On: true}, {Campaign: "c", Due: 9500}}
	b := c.AppendTo(nil)
	goldentest.Bytes(t, "customer_levels.v2", b)
	got, err := DecodeCustomer(b, nil)
	if err != nil || !reflect.DeepEqual(got, c) {
		t.Errorf("unexpected customer %+v, error %v; want %+v", got, err, c)
	}
	if due, err := DecodeNextDue(b); err != nil || due != 9000 {
		t.Errorf("next due %d, error %v; want 9000", due, err)
	}
	for n := range b {
		if _, err := DecodeCustomer(b[:n], nil); !errors.Is(err, wire.ErrCorrupt) {
			t.Fatalf("prefix of %d bytes: unexpected error %v; want ErrCorrupt", n, err)
		}
	}
	c.Quarantine(9000, 9100)
	if due := c.NextDue(); due != 9500 {
		t.Errorf("after quarantine due at %d; want 9500", due)
	}
	for i := range c.Levels {
		c.Levels[i].Due = 0
	}
	if levelTimerSection.has(c) {
		t.Error("levels without timers have the section of timers")
	}
}
