package machine

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/internal/exprtest"
)

// randomOwn is a predicate over the customer alone, as segments ask.
func randomOwn(r *rand.Rand) string {
	name := exprtest.Pick(r, exprtest.Names)
	return exprtest.Pick(r, []string{
		"customer.traits." + name + " == " + exprtest.Pick(r, exprtest.Literals),
		"customer.traits." + name + " >= " + exprtest.Pick(r, exprtest.Literals),
		"customer.traits." + name + ` == "x" && customer.count("Order") >= 2`,
		`customer.count("Order") == 3`, `customer.tagged("vip") && has(customer.traits.` + name + ")",
		`customer.count("Order") % 2 == 1`, `customer.count("Order", "1d") >= 2`,
		"customer.traits." + name + " / 2 > 3",
	})
}

// randomTrigger is a trigger of one of the kinds that look at records.
func randomTrigger(r *rand.Rand) string {
	q := strconv.Quote
	event, name := exprtest.Pick(r, []string{"Order", "View"}), exprtest.Pick(r, exprtest.Names)
	switch r.IntN(10) {
	case 0:
		return fmt.Sprintf("count: {event: %s, where: %s, reaches: %d}", event, q(exprtest.Predicate(r)), 1+r.IntN(3))
	case 1:
		return fmt.Sprintf("count: {event: %s, reaches: %d}", event, 1+r.IntN(6))
	case 2:
		return fmt.Sprintf("inactivity: {event: %s, where: %s, for: 1h, never_done: from_profile_created}", event,
			q(exprtest.Predicate(r)))
	case 3:
		return fmt.Sprintf("streak: {event: %s, where: %s, length: 2, max_gap: 6h, break_on: {event: %s, where: %s}}",
			event, q(exprtest.Predicate(r)), exprtest.Pick(r, []string{"Order", "View"}), q(exprtest.Predicate(r)))
	case 4:
		value := exprtest.Pick(r, []string{
			"customer.traits." + name, `customer.count("Order")`, `customer.sum("Order", "a")`, "customer.traits.a * 2",
			`customer.count("Order", "12h")`,
		})
		return fmt.Sprintf("threshold: {value: %s, crosses: %s, at: %d, hysteresis: %d}", q(value),
			exprtest.Pick(r, []string{"up", "down"}), r.IntN(25), r.IntN(2)*3)
	case 5:
		return fmt.Sprintf("segment: {when: %s, on: %s}", q(randomOwn(r)), exprtest.Pick(r, []string{"enter", "leave"}))
	case 6:
		return fmt.Sprintf(
			"date: {path: customer.traits.%s, offsets: [-2d, 1d]}",
			exprtest.Pick(r, []string{"day", "due"}),
		)
	case 7:
		return exprtest.Pick(r, []string{
			"change: {path: customer.traits}",
			"change: {path: customer.traits." + name + ", to: " + exprtest.Pick(r, exprtest.Literals) + "}",
			"change: {path: customer.traits." + name + `, from: "x"}`,
			"change: {path: customer.traits." + name + ".d, to: 1}",
		})
	}
	return fmt.Sprintf("event: {name: %s, where: %s}", event, q(exprtest.Predicate(r)))
}

func randomCampaign(r *rand.Rand, i int) string {
	step := exprtest.Pick(r, []string{
		"{id: s, exit: {}}", "{id: s, set: {traits: {a: 20, b: x}, tags: [vip]}}", "{id: s, delay: 2h}",
		"{id: s, wait: {timeout: 1d, for: [{event: View, where: " + strconv.Quote(exprtest.Predicate(r)) + "}]}}",
		"{id: s, emit: {event: View, properties: {a: 20}}}",
	})
	audience := ""
	if r.IntN(3) == 0 {
		audience = "audience: " + strconv.Quote(randomOwn(r)) + ", "
	}
	return fmt.Sprintf("apiVersion: nudge/v1\nkind: Campaign\nmetadata: {name: c%d}\nspec: {trigger: {%s}, %s"+
		"goals: [{id: g, event: Order, where: %s, window: 1d}], stop: [{event: Order, where: %s}], steps: [%s]}\n", i,
		randomTrigger(r), audience, strconv.Quote(exprtest.Predicate(r)), strconv.Quote(exprtest.Predicate(r)), step)
}

// actor is a customer with a machine.
type actor struct {
	m   *Machine
	c   *customer.Customer
	out output.Output
}

func newActor(t *testing.T, lang *expr.Language, texts []string, unindexed bool) *actor {
	t.Helper()
	var programs []*program.Program
	for _, text := range texts {
		docs, err := parse.File(lang, "test", []byte(text))
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		programs = append(programs, docs[0].Campaign)
	}
	a := &actor{m: New(), c: customer.New("w", "ann", 0, 1)}
	a.m.unindexed = unindexed
	a.m.Use(active.NewSet(programs, map[string]uint64{}, 0))
	return a
}

// TestIndexChangesNothing applies random records, timers and broadcasts to two customers,
// one whose machine asks every campaign, and one whose machine uses the index: they do the same and become the same, byte by byte.
func TestIndexChangesNothing(t *testing.T) {
	// shows: 200
	r := seeded(14)
	lang := testLanguage(t)
	kinds := map[output.Kind]int{}
	for round := range 30 {
		var texts []string
		for len(texts) < 25 {
			text := randomCampaign(r, len(texts))
			if _, err := parse.File(lang, "test", []byte(text)); err == nil {
				texts = append(texts, text)
			}
		}
		texts = append(
			texts,
			campaignText("wide", `trigger: {broadcast: {event: All, audience: 'customer.traits.a == "x"'}}`),
			campaignText("wider", `trigger: {broadcast: {event: All, audience: 'customer.traits.a > 3'}}`),
		)
		texts[25], texts[26] = texts[25][:len(texts[25])-4], texts[26][:len(texts[26])-4]
		with, without := newActor(t, lang, texts, false), newActor(t, lang, texts, true)
		now := int64(1_800_000_000_000)
		for n := range 60 {
			now += r.Int64N(4 * 3600 * 1000)
			e := event.Event{
				Workspace:  "w",
				Customer:   "ann",
				ID:         strconv.Itoa(n),
				Type:       event.Track,
				Name:       exprtest.Pick(r, []string{"Order", "View", "Other"}),
				Time:       now - r.Int64N(1000),
				Properties: exprtest.Object(r),
				Context:    exprtest.Object(r),
			}
			if r.IntN(3) == 0 {
				e.Type, e.Name, e.Properties, e.Traits = event.Identify, event.IdentifyName, nil, randomTraits(r)
			}
			broadcast := r.IntN(10) == 0
			for _, a := range []*actor{with, without} {
				a.out.Reset()
				a.apply(&e, now, n == 0, broadcast)
			}
			if !reflect.DeepEqual(with.out, without.out) ||
				!bytes.Equal(with.c.AppendTo(nil), without.c.AppendTo(nil)) {
				t.Fatalf(
					"round %d, record %d %s\nproperties %s\ntraits %s\nwith    %+v\nwithout %+v\n%s",
					round,
					n,
					e.Name,
					e.Properties,
					without.c.Traits,
					with.out.Decisions,
					without.out.Decisions,
					texts,
				)
			}
			for _, d := range with.out.Decisions {
				kinds[d.Kind]++
			}
		}
	}
	for _, kind := range []output.Kind{output.Entered, output.Refused, output.Erred, output.Ended, output.Converted, output.Updated} {
		if kinds[kind] < 20 {
			t.Errorf("only %d decisions %q: the test says little", kinds[kind], kind)
		}
	}
	t.Log(kinds)
}

func (a *actor) apply(e *event.Event, now int64, created, broadcast bool) {
	for due := a.c.NextDue(); due != 0 && due <= now; due = a.c.NextDue() {
		a.m.Fire(a.c, due, due, &a.out)
	}
	a.m.Apply(a.c, e, now, created, &a.out)
	if broadcast {
		all := event.Event{Workspace: "w", ID: "all-" + e.ID, Type: event.Track, Name: "All", Time: now}
		a.m.Visit(a.c, &active.BulkTask{Kind: active.BulkBroadcast, Due: now, Event: &all}, now, &a.out)
	}
}

// randomTraits has dates beside what exprtest.Object gives, and takes traits away.
func randomTraits(r *rand.Rand) []byte {
	b := exprtest.Object(r)
	if len(b) < 3 {
		return []byte(`{"a":null,"day":null}`)
	}
	day := exprtest.Pick(r, []string{`"2027-01-17"`, `"2027-02-01"`, `"soon"`, `null`, `"2027-01-20"`})
	return append(b[:len(b)-1], `,"`+exprtest.Pick(r, []string{"day", "due"})+`":`+day+`}`...)
}

// TestCountersSeeThoseBefore: a counter's predicate can look at another that the same
// event has just counted.
func TestCountersSeeThoseBefore(t *testing.T) {
	first := `trigger: {count: {event: Order, where: 'customer.count("Order") == 1', reaches: 1}}`
	s := newStage(
		t,
		strings.TrimSuffix(
			campaignText("first", first)+campaignText("other", `trigger: {event: {name: View}}`),
			"---\n",
		),
	)
	s.now = 1_800_000_000_000
	s.event("Order", `{}`)
	if c := s.c.Counter(customer.CounterID("Order", `customer.count("Order") == 1`)); c == nil || c.Count != 1 {
		t.Errorf("%+v; want the first order counted", s.c.Counters)
	}
}
