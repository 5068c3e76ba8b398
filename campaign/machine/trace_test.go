package machine

import (
	"bytes"
	"fmt"
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
	"github.com/nudge-engine/nudge/campaign/trace"
)

// traced is campaigns whose expressions fail on some customers, so that an evaluation
// that the trace does beside the rule would be seen in the output.
const traced = `apiVersion: nudge/v1
kind: Policy
metadata: {name: house}
spec: {caps: [{name: one, limit: 1, window: 1h}]}
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: a}
spec:
  trigger: {event: {name: E, where: event.properties.n > 1}}
  audience: customer.traits.level > 2
  recheck: before_send
  reentry: {key: event.properties.key, mode: cooldown, cooldown: 1h}
  goals: [{id: g, event: G, where: event.properties.n > 3}]
  stop: [{event: S, where: event.properties.n > 3}]
  policy: {caps: [one], group: x, quiet_hours: {from: "10:00", to: "11:00"}, dedupe: {key: trigger.properties.key, window: 1h}, holdout: {percent: 50}}
  steps:
    - {id: w, wait: {timeout: 10m, since: entry, for: [{event: W, where: event.properties.n > 3}]}}
    - {id: b, branch: [{when: customer.traits.level > trigger.properties.n, goto: s}]}
    - {id: s, send: {channel: email, on_cap: defer}}
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: b}
spec:
  trigger: {threshold: {value: 'customer.sum("E", "n") / double(customer.count("G"))', crosses: up, at: 3}}
  reentry: {on_active: refresh}
  steps: [{id: d, delay: 5m}, {id: s, send: {channel: email}}]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: c}
spec:
  trigger: {segment: {when: 'customer.count("E", "1h") > 1 && customer.traits.level > 0', on: enter}}
  policy: {group: x, priority: 3, preempt: true}
  steps: [{id: d, delay: 20m}]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: d}
spec:
  trigger: {streak: {event: E, length: 3, max_gap: 30m}}
  steps: [{id: d, delay: 20m}]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: e}
spec:
  trigger: {inactivity: {event: E, where: event.properties.n > 1, for: 45m}}
  steps: [{id: x, experiment: {variants: [{id: a, weight: 1}, {id: b, weight: 1}], goal: g}}]
  goals: [{id: g, event: G}]
`

func tracedSet(t *testing.T, lang *expr.Language, text string) *active.Set {
	t.Helper()
	docs, err := parse.File(lang, "f.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var all []*program.Program
	for _, d := range docs[1:] {
		d.Campaign.Workspace, d.Campaign.Version = "w", 1
		all = append(all, d.Campaign)
	}
	set := active.NewSet(all, map[string]uint64{}, 1)
	set.SetPolicies([]*program.Policy{docs[0].Policy})
	return set
}

// A trace changes neither what is decided nor the customer, over random histories with
// expressions that fail.
func TestTraceChangesNothing(t *testing.T) {
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	noted, erred := 0, 0
	for seed := range uint64(60) {
		r := seeded(seed)
		id := fmt.Sprintf("c%d", seed)
		set := tracedSet(t, lang, traced)
		plain, watched := New(), New()
		plain.Use(set)
		watched.Use(set)
		why := trace.NewTrace(lang, "w", id, "")
		watched.Observe(why)
		one, two := customer.New("w", id, 0, 1), customer.New("w", id, 0, 1)
		values := []string{"1", "2", "5", `"x"`, "null"}
		now := int64(1_772_359_200_000)
		for i := range 60 {
			now += r.Int64N(15 * 60_000)
			e := event.Event{
				Workspace:  "w",
				Customer:   id,
				ID:         strconv.Itoa(i),
				Type:       event.Track,
				Time:       now - r.Int64N(2)*r.Int64N(3_600_000),
				Name:       []string{"E", "G", "S", "W"}[r.IntN(4)],
				Properties: fmt.Appendf(nil, `{"n": %s, "key": %s}`, values[r.IntN(5)], values[r.IntN(5)]),
			}
			if r.IntN(5) == 0 {
				e = event.Event{
					Workspace: "w",
					Customer:  id,
					ID:        strconv.Itoa(i),
					Type:      event.Identify,
					Name:      event.IdentifyName,
					Time:      now,
					Traits:    fmt.Appendf(nil, `{"level": %s}`, values[r.IntN(5)]),
				}
			}
			var a, b output.Output
			plain.Fire(one, now, now, &a)
			watched.Fire(two, now, now, &b)
			plain.Apply(one, &e, now, i == 0, &a)
			watched.Apply(two, &e, now, i == 0, &b)
			if !reflect.DeepEqual(a, b) {
				t.Fatalf("seed %d, event %d: a trace changes the output\n%+v\n%+v", seed, i, a, b)
			}
			if !bytes.Equal(one.AppendTo(nil), two.AppendTo(nil)) {
				t.Fatalf("seed %d, event %d: a trace changes the customer", seed, i)
			}
			for _, d := range a.Decisions {
				if d.Kind == output.Erred {
					erred++
				}
			}
		}
		standing := trace.NewTrace(lang, "w", id, "")
		before := two.AppendTo(nil)
		copied, err := customer.Decode(before, event.Names{})
		if err != nil {
			t.Fatal(err)
		}
		m := New()
		m.Use(set)
		m.ExplainNow(copied, now, standing)
		if len(standing.Steps) != 1 {
			t.Fatalf("seed %d: the present has %d occasions; want 1", seed, len(standing.Steps))
		}
		pending := 0
		for _, a := range standing.Steps[0].Results {
			if a.Rule == trace.RulePending && a.Answer == trace.Note {
				pending++
			}
		}
		if pending != len(two.Pending) {
			t.Errorf(
				"seed %d: the present shows %d deliveries without a result; want %d",
				seed,
				pending,
				len(two.Pending),
			)
		}
		for _, o := range why.Steps {
			noted += len(o.Results)
		}
	}
	if noted < 1000 || erred < 100 {
		t.Errorf("%d rows and %d errors; the histories show too little", noted, erred)
	}
}

// An expression is taken apart into the names that it reads, each once and as long as it
// is known without evaluating anything; and the smallest parts are named because of which
// it does not hold.
func TestExpressionParts(t *testing.T) {
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		source string
		reads  []string
		unmet  []string // without a customer, an event or a chain
	}{
		{`event.properties.value >= 20`, []string{`event.properties.value`}, nil},
		{
			`has(customer.traits.a) && customer.traits.a > 1 && true`,
			[]string{`customer.traits.a`},
			[]string{`has(customer.traits.a)`, `customer.traits.a > 1`},
		},
		{
			`customer.count("A", "30d") > 1 || customer.tagged("vip")`,
			[]string{`customer.count("A", "30d")`, `customer.tagged("vip")`},
			[]string{`customer.count("A", "30d") > 1`, `customer.tagged("vip")`},
		},
		{
			`(customer.count("A") == 0 || customer.tagged("b")) && (customer.tagged("c") || customer.id == "x" && now > now)`,
			[]string{`customer.count("A")`, `customer.tagged("b")`, `customer.tagged("c")`, `customer.id`, `now`},
			[]string{`customer.tagged("c")`, `customer.id == "x"`, `now > now`},
		},
		{`customer.traits["a b"].startsWith(trigger.name)`, []string{`customer.traits["a b"]`, `trigger.name`}, nil},
		{
			`event.properties.items.exists(i, i.sku == customer.traits.sku)`,
			[]string{`event.properties.items`, `customer.traits.sku`},
			nil,
		},
		{`customer.traits[event.properties.name] == "x"`, []string{`customer.traits`, `event.properties.name`}, nil},
		{`now - chain.entered_at > duration("1h")`, []string{`now`, `chain.entered_at`}, nil},
		{`1 in [2]`, nil, nil},
	} {
		why, m := trace.NewTrace(lang, "w", "c", ""), New()
		m.Observe(why)
		m.begin(customer.New("w", "c", 0, 1), 5, new(output.Output))
		e, err := lang.Compile(c.source, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := m.exprFacts(trace.RuleResult{Answer: trace.No}, e)
		var reads []string
		for _, f := range got.Facts {
			reads = append(reads, f.Name)
		}
		if !reflect.DeepEqual(reads, c.reads) || !reflect.DeepEqual(got.Unmet, c.unmet) {
			t.Errorf("%s reads %q, unmet %q; want %q, %q", c.source, reads, got.Unmet, c.reads, c.unmet)
		}
	}
}

// Long values are cut in a trace, and it is about the campaign that it asks for.
func TestTraceCutsValues(t *testing.T) {
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	set := tracedSet(t, lang, strings.ReplaceAll(traced, "customer.traits.level > 2", `customer.traits.level != ""`))
	m, out := New(), new(output.Output)
	m.Use(set)
	why := trace.NewTrace(lang, "w", "c", "a")
	m.Observe(why)
	c := customer.New("w", "c", 0, 1)
	c.Traits = fmt.Appendf(nil, `{"level": %q}`, strings.Repeat("x", 5000))
	m.Apply(c, &event.Event{
		Workspace:  "w",
		Customer:   "c",
		ID:         "1",
		Type:       event.Track,
		Name:       "E",
		Time:       1,
		Properties: []byte(`{"n": 2, "key": 1}`),
	}, 1, true, out)
	longest := 0
	for _, o := range why.Steps {
		for _, a := range o.Results {
			if a.Campaign != "a" {
				t.Errorf("a row about %q in a trace of a", a.Campaign)
			}
			for _, f := range a.Facts {
				longest = max(longest, len(f.Value))
			}
		}
	}
	if longest < trace.MaxFact || longest > trace.MaxFact+10 {
		t.Errorf("the longest value has %d bytes; want about %d", longest, trace.MaxFact)
	}
}
