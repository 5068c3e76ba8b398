package simulate_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/internal/simulate"
)

// lines is a Sink that keeps every row as a line.
type lines struct{ strings.Builder }

func (l *lines) Delivery(d *output.Delivery) error { return l.line(*d) }

func (l *lines) Decision(d *output.Decision) error { return l.line(*d) }

func (l *lines) Chain(c *output.ChainRow) error { return l.line(*c) }

func (l *lines) Goal(g *output.GoalRow) error { return l.line(*g) }

func (l *lines) line(v any) error {
	_, err := fmt.Fprintf(l, "%T %+v\n", v, v)
	return err
}

// longer are campaigns whose chains live long enough to move.
const longer = `
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: keyed}
spec:
  trigger: {event: {name: Cart Updated}}
  reentry: {key: event.properties.cart_id, mode: cooldown, cooldown: 3h, max_active: 2, on_active: parallel}
  goals: [{id: bought, event: Order Completed, match: cart_id, window: 2d, value: event.properties.total}]
  policy: {caps: [weekly], dedupe: {key: trigger.properties.cart_id, window: 5h}}
  steps:
    - {id: a, delay: 5h}
    - {id: b, send: {channel: email, on_cap: defer}}
    - {id: c, wait: {for: [{event: Order Completed, goto: end}], timeout: 9h}}
    - {id: d, until: {at: "09:00", zone: customer}}
    - {id: e, send: {channel: sms}}
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: low}
spec:
  trigger: {event: {name: Cart Updated, where: event.properties.value > 40}}
  policy: {group: g, priority: 1}
  stop: [{event: Order Completed}]
  steps: [{id: a, delay: 20h}, {id: b, send: {channel: email}}]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: high}
spec:
  trigger: {count: {event: Order Completed, reaches: 3}}
  policy: {group: g, priority: 5, preempt: true, holdout: {percent: 30}}
  steps: [{id: a, delay: 20h}, {id: b, send: {channel: push}}]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: rich}
spec:
  trigger: {segment: {when: 'customer.traits.points > 900 && customer.count("Order Completed") > 1', on: enter}}
  steps: [{id: a, experiment: {variants: [{id: x, weight: 50, goto: b}, {id: y, weight: 50, goto: c}]}},
          {id: b, delay: 9h}, {id: c, send: {channel: email}}]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: row}
spec:
  trigger: {streak: {event: Order Completed, length: 3, max_gap: 1d}}
  steps: [{id: a, delay: 9h}, {id: c, send: {channel: email}}]
`

// Random people, many of them anonymous at first, under most of the language: no matter who
// merges into whom, the outcome does not depend on the number of partitions.
func TestMergesDoNotShowPartitions(t *testing.T) {
	text, err := os.ReadFile("../../cmd/nudge/testdata/whole/campaigns.yaml")
	if err != nil {
		t.Fatal(err)
	}
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	docs, err := parse.File(lang, "whole", append(text, longer...))
	if err != nil {
		t.Fatal(err)
	}
	names := eventNames(docs)
	merged := 0
	for seed := range uint64(12) {
		calls := randomCalls(rand.New(rand.NewPCG(seed, 7)), names)
		var want string
		for _, partitions := range []int{1, 4, 16} {
			out := new(lines)
			s, err := simulate.New(simulate.Config{
				Lang: lang, Documents: docs, Partitions: partitions, Sink: out,
				Until: calls[len(calls)-1].Time + 30*24*3600*1000,
			}, calls[0].Time)
			if err != nil {
				t.Fatal(err)
			}
			for i := range calls {
				e := calls[i]
				if err := s.Call(&e); err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
			}
			if err := s.Finish(); err != nil {
				t.Fatal(err)
			}
			if partitions == 1 {
				want = out.String()
				merged += strings.Count(want, "Kind:arrived")
			} else if got := out.String(); got != want {
				t.Fatalf("seed %d: with %d partitions the outcome is another one: %s", seed, partitions, firstDifference(got, want))
			}
		}
	}
	if merged < 50 {
		t.Errorf("only %d chains moved", merged)
	}
}

func firstDifference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range a {
		if i >= len(b) || a[i] != b[i] {
			return fmt.Sprintf("line %d is\n%s\nwant\n%s", i, a[i], b[min(i, len(b)-1)])
		}
	}
	return "it is shorter"
}

// eventNames are the names that the documents' triggers, goals and stops wait for.
func eventNames(docs []parse.Parsed) []string {
	names := []string{"$identify"}
	for _, d := range docs {
		if d.Campaign == nil {
			continue
		}
		for _, g := range d.Campaign.Goals {
			names = append(names, g.Match.Event)
		}
		for _, m := range d.Campaign.Stops {
			names = append(names, m.Event)
		}
		if name := d.Campaign.Trigger.Gives().Event; name != "" {
			names = append(names, name, name)
		}
	}
	return names
}

func randomCalls(rng *rand.Rand, names []string) (calls []event.Event) {
	at := int64(1_772_359_200_000)
	for n := range 500 {
		at += rng.Int64N(20 * 60 * 1000)
		who := rng.IntN(12)
		e := event.Event{
			Workspace: simulate.Workspace, Customer: fmt.Sprintf("u%d", who), ID: fmt.Sprintf("m%d", n), Type: event.Track,
			Name: names[rng.IntN(len(names))], Time: at,
			Properties: []byte(fmt.Sprintf(`{"cart_id":"c%d","order_id":"c%d","total":%d,"value":%d}`, rng.IntN(3), rng.IntN(3),
				rng.IntN(90), rng.IntN(90))),
		}
		if rng.IntN(2) == 0 {
			e.Customer = fmt.Sprintf("%sa%d", customer.AnonymousPrefix, rng.IntN(90))
		}
		if e.Name == "$identify" {
			e.Type, e.Properties = event.Identify, nil
			e.Traits = []byte(fmt.Sprintf(`{"level":%q,"points":%d}`, []string{"silver", "gold"}[rng.IntN(2)], rng.IntN(2000)))
		}
		if rng.IntN(4) == 0 {
			e.Type, e.Name, e.Traits = event.Alias, "$alias", nil
			e.Customer = fmt.Sprintf("%sa%d", customer.AnonymousPrefix, rng.IntN(90))
			e.Properties = []byte(fmt.Sprintf(`{"userId":"u%d"}`, who))
		}
		calls = append(calls, e)
	}
	return calls
}
