package expr

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/cel-go/common/types"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/unit"
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
		e, err := lang.Compile(source, types.BoolType)
		if err != nil {
			t.Fatal(err)
		}
		clock, err := lang.Clock(e)
		if err != nil {
			t.Fatal(err)
		}
		for seed := range uint64(25) {
			r := rand.New(rand.NewPCG(seed, 1))
			c := customer.New("w", "ann", r.Int64N(60)*second, 1)
			c.Traits = fmt.Appendf(nil, `{"at":"%s"}`, unit.FormatTime(r.Int64N(120)*second/2+1))
			for _, name := range []string{"E", "F"} {
				for range r.IntN(6) {
					at := r.Int64N(60) * second / 2
					c.EnsureWindow(name).Add(at, []customer.Sum{{Property: "n", Total: unit.Money(r.Int64N(4)) * unit.MicrosPerUnit}}, -1)
					n := c.EnsureCounter(customer.CounterID(name, ""))
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

// A comparison with an instant of whole milliseconds changes once, and at no other instant is
// there something to look at: a timer brings the customer in line with new versions.
func TestValueClockIsExact(t *testing.T) {
	lang, err := NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	s := NewScope()
	c := customer.New("w", "ann", 0, 1)
	c.Traits = []byte(`{"at":"1970-01-01T00:01:00Z"}`)
	s.Customer.Set(c)
	const at = 60_000
	for source, want := range map[string]int64{
		`now >= timestamp(customer.traits.at)`:                      at,
		`now < timestamp(customer.traits.at)`:                       at,
		`now > timestamp(customer.traits.at)`:                       at + 1,
		`now <= timestamp(customer.traits.at)`:                      at + 1,
		`timestamp(customer.traits.at) <= now`:                      at,
		`timestamp(customer.traits.at) > now`:                       at,
		`timestamp(customer.traits.at) - now < duration("0s")`:      at + 1,
		`timestamp(customer.traits.at) - now >= duration("0s")`:     at + 1,
		`now - timestamp(customer.traits.at) >= duration("1500us")`: at + 2,
		`now - timestamp(customer.traits.at) > duration("1500us")`:  at + 2,
	} {
		e, err := lang.Compile(source, types.BoolType)
		if err != nil {
			t.Fatal(err)
		}
		clock, err := lang.Clock(e)
		if err != nil {
			t.Fatal(err)
		}
		s.Now = 0
		if next := clock.Next(s); next != want {
			t.Errorf("%s changes at %d, want %d", source, next, want)
		}
		before, _ := e.Holds(s)
		s.Now = want
		if after, _ := e.Holds(s); after == before {
			t.Errorf("%s does not change at %d", source, want)
		}
		if next := clock.Next(s); next != 0 {
			t.Errorf("%s changes again at %d", source, next)
		}
	}
}

// walkClock goes from one instant that the clock names to the next and looks at the value
// in between. It says how often the value changed.
func walkClock(t *testing.T, e *Expr, clock *ValueClock, c *customer.Customer, end int64) (changes int) {
	t.Helper()
	s := NewScope()
	s.Customer.Set(c)
	at := func(now int64) bool {
		s.Now = now
		holds, err := e.Holds(s)
		if err != nil {
			t.Fatal(err)
		}
		return holds
	}
	for now := int64(30_000); now < end; { // after all that happened
		is := at(now)
		next := clock.Next(s)
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
