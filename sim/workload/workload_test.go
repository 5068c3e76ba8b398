package workload_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/nudge-engine/nudge/sim/audit"
	"github.com/nudge-engine/nudge/sim/workload"
)

const seeds = 200

func generate(seed uint64) workload.Workload {
	return workload.Generate(rand.New(rand.NewPCG(seed, 0)), workload.Options{})
}

func TestSameSeedSameBytes(t *testing.T) {
	for seed := range uint64(seeds) {
		a, err := json.Marshal(generate(seed))
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(generate(seed))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a, b) {
			t.Fatalf("seed %d gives two workloads", seed)
		}
	}
}

// TestReach fails when a situation is never drawn, or never comes to pass in
// the model: a judge that was never asked has not agreed.
func TestReach(t *testing.T) {
	reached := map[string]int{}
	for seed := range uint64(seeds) {
		w := generate(seed)
		for _, c := range w.Campaigns {
			defined(reached, c)
		}
		played(reached, w)
	}
	for _, name := range []string{
		"trigger event", "trigger count", "trigger inactivity", "trigger profile",
		"verb delay", "verb delay entry", "verb wait", "verb wait entry", "verb send", "verb branch", "verb exit",
		"mode ", "mode always", "mode once", "mode cooldown", "mode cooldown exit",
		"active ", "active ignore", "active restart", "active refresh", "active parallel",
		"key", "max_active", "goal", "goal delivery", "goal no window", "two goals", "stop", "audience",
		"historical", "duplicate", "late event", "same instant", "identify", "one customer", "many customers",
		"delivery", "delivery late", "refresh or restart",
		"outcome active", "outcome completed", "outcome goal", "outcome stopped", "outcome exited",
		"goal after the end", "goal value", "goal at the window's end", "two hits",
		"refused historical", "refused max_event_age", "refused missing_key", "refused once", "refused cooldown",
		"refused max_active", "refused audience", "refused already_converted", "entry at the cooldown's end",
	} {
		if reached[name] == 0 {
			t.Errorf("never reached: %s", name)
		}
	}
	if testing.Verbose() {
		b, err := json.MarshalIndent(reached, "", " ")
		t.Logf("%s %v", b, err)
	}
}

func mark(reached map[string]int, when bool, name string) {
	if when {
		reached[name]++
	}
}

func defined(reached map[string]int, c audit.Campaign) {
	reached["trigger "+c.Trigger.Kind]++
	mark(reached, c.Trigger.FromProfile, "trigger profile")
	reached["mode "+c.Reentry.Mode]++
	mark(reached, c.Reentry.FromExit, "mode cooldown exit")
	reached["active "+c.Reentry.OnActive]++
	mark(reached, c.Reentry.KeyProperty != "", "key")
	mark(reached, c.Reentry.MaxActive != 0, "max_active")
	mark(reached, c.Audience != nil, "audience")
	mark(reached, len(c.Stops) > 0, "stop")
	mark(reached, len(c.Goals) > 1, "two goals")
	for _, g := range c.Goals {
		reached["goal"]++
		mark(reached, g.FromDelivery, "goal delivery")
		mark(reached, g.Window == 0, "goal no window")
	}
	for _, s := range c.Steps {
		mark(reached, s.Delay != nil, "verb delay")
		mark(reached, s.Delay != nil && s.Delay.FromEntry, "verb delay entry")
		mark(reached, s.Wait != nil, "verb wait")
		mark(reached, s.Wait != nil && s.Wait.FromEntry, "verb wait entry")
		mark(reached, s.Send != nil, "verb send")
		mark(reached, s.Branch != nil, "verb branch")
		mark(reached, s.Exit, "verb exit")
	}
}

// played runs the model over the workload, without ticks in every other one so
// that timers come late.
func played(reached map[string]int, w workload.Workload) {
	a := audit.New(w.Campaigns)
	customers, ids := map[string]bool{}, map[string]bool{}
	var last int64
	for _, c := range w.Calls {
		if len(w.Calls)%2 == 0 {
			for due, ok := a.Next(); ok && due <= c.At; due, ok = a.Next() {
				a.Frame(due)
			}
		}
		a.Frame(c.At)
		a.Event(c.Event)
		id := c.Event.Customer + " " + c.Event.ID
		mark(reached, ids[id], "duplicate")
		ids[id], customers[c.Event.Customer] = true, true
		mark(reached, c.Event.Historical, "historical")
		mark(reached, c.Event.Time < c.At, "late event")
		mark(reached, c.At == last, "same instant")
		mark(reached, c.Event.Type == audit.TypeIdentify, "identify")
		last = c.At
	}
	mark(reached, len(customers) == 1, "one customer")
	mark(reached, len(customers) > 20, "many customers")
	for _, c := range a.Chains() {
		mark(reached, c.Outcome == audit.Active, "outcome active")
	}
	a.Frame(last + workload.Longest(w.Campaigns).Milliseconds())
	outcomes(reached, w, a)
}

func outcomes(reached map[string]int, w workload.Workload, a *audit.Auditor) {
	for _, d := range a.Deliveries() {
		reached["delivery"]++
		mark(reached, d.At > d.Due, "delivery late")
	}
	for _, r := range a.Refused() {
		reached["refused "+r.Reason] += r.Count
	}
	before := map[string]audit.Chain{} // the chain before, by campaign, customer and key
	for _, c := range a.Chains() {
		def := byName(w, c.Campaign)
		reached["outcome "+c.Outcome]++
		mark(reached, c.Goal != "" && c.Outcome != audit.Converted, "goal after the end")
		mark(reached, c.Value != 0, "goal value")
		mark(reached, len(c.Hits) > 1, "two hits")
		for _, h := range c.Hits {
			for _, g := range def.Goals {
				window := g.Window.Milliseconds()
				mark(reached, g.ID == h.Goal && window > 0 && h.At == c.EnteredAt+window, "goal at the window's end")
			}
		}
		id := c.Campaign + " " + c.Customer + " " + c.Key
		prior, ok := before[id]
		mark(reached, ok && prior.Outcome == audit.Stopped && prior.EndedAt == c.EnteredAt, "refresh or restart")
		from := prior.EnteredAt
		if def.Reentry.FromExit {
			from = prior.EndedAt
		}
		cooldown := def.Reentry.Cooldown.Milliseconds()
		mark(reached, ok && cooldown > 0 && c.EnteredAt == from+cooldown, "entry at the cooldown's end")
		before[id] = c
	}
}

func byName(w workload.Workload, name string) audit.Campaign {
	for _, c := range w.Campaigns {
		if c.Name == name {
			return c
		}
	}
	panic("BUG: no campaign " + name)
}

// TestFeatures fails when a part of the whole language is never drawn, or the same seed
// gives two workloads of it.
func TestFeatures(t *testing.T) {
	reached := map[string]int{}
	for seed := range uint64(seeds) {
		f := workload.DrawFeatures(rand.New(rand.NewPCG(seed, 4)))
		draw := func() workload.Workload {
			return workload.Generate(rand.New(rand.NewPCG(seed, 0)), workload.Options{Features: f})
		}
		w := draw()
		a, err := json.Marshal(w)
		if err != nil {
			t.Fatal(err)
		}
		if b, _ := json.Marshal(draw()); !bytes.Equal(a, b) {
			t.Fatalf("seed %d gives two workloads", seed)
		}
		for _, c := range w.Campaigns {
			features(reached, c)
			dead(t, seed, c)
		}
		mark(reached, len(w.Broadcasts) > 0, "broadcasts")
	}
	for _, name := range []string{
		"trigger event", "trigger count", "trigger inactivity", "trigger streak", "trigger threshold", "trigger segment",
		"trigger change", "trigger broadcast", "trigger schedule", "trigger webhook",
		"until", "experiment", "set", "emit", "start", "loop", "restart_on", "on_fail", "on_cap", "variable",
		"transactional", "caps", "quiet", "group", "preempt", "dedupe", "holdout", "recheck", "period", "zone",
		"late skip", "late exit", "reverse_on", "primary", "broadcasts",
	} {
		if reached[name] == 0 {
			t.Errorf("never drawn: %s", name)
		}
	}
}

func features(reached map[string]int, c audit.Campaign) {
	reached["trigger "+c.Trigger.Kind]++
	reached["late "+c.Late]++
	mark(reached, c.Policy.Category == audit.Transactional, "transactional")
	mark(reached, len(c.Policy.Caps) > 0, "caps")
	mark(reached, c.Policy.Quiet != nil, "quiet")
	mark(reached, c.Policy.Group != "", "group")
	mark(reached, c.Policy.Preempt, "preempt")
	mark(reached, c.Policy.DedupeProperty != "", "dedupe")
	mark(reached, c.Policy.Holdout > 0, "holdout")
	mark(reached, c.Recheck, "recheck")
	mark(reached, c.From != 0 && c.Until != 0, "period")
	mark(reached, c.Zone != "", "zone")
	for _, g := range c.Goals {
		mark(reached, g.ReverseOn != "", "reverse_on")
		mark(reached, g.Primary, "primary")
	}
	for _, s := range c.Steps {
		mark(reached, s.Until != nil, "until")
		mark(reached, s.Experiment != nil, "experiment")
		mark(reached, s.Set != nil, "set")
		mark(reached, s.Emit != nil, "emit")
		mark(reached, s.Start != "", "start")
		mark(reached, s.Loop > 0, "loop")
		mark(reached, s.Wait != nil && s.Wait.RestartOn != nil, "restart_on")
		if s.Send != nil {
			mark(reached, s.Send.OnFail != "", "on_fail")
			mark(reached, s.Send.OnCap == audit.CapDefer, "on_cap")
			mark(reached, s.Send.Needs != "", "variable")
		}
	}
}

// TestStepsAreReachable: the contract refuses a campaign with a dead step.
func TestStepsAreReachable(t *testing.T) {
	for seed := range uint64(seeds) {
		for _, c := range generate(seed).Campaigns {
			dead(t, seed, c)
		}
	}
}

func dead(t *testing.T, seed uint64, c audit.Campaign) {
	t.Helper()
	reached := map[string]bool{c.Steps[0].ID: true}
	for i, s := range c.Steps {
		if !reached[s.ID] {
			t.Fatalf("seed %d: %s: step %s is unreachable\n%s", seed, c.Name, s.ID, c.YAML())
		}
		for _, target := range leadsTo(c.Steps, i) {
			reached[target] = true
			back := slices.IndexFunc(c.Steps, func(o audit.Step) bool { return o.ID == target })
			if back >= 0 && back <= i && i+1 < len(c.Steps) { // a loop that is used up goes on
				reached[c.Steps[i+1].ID] = true
			}
		}
	}
}

func leadsTo(steps []audit.Step, i int) []string {
	s := steps[i]
	next := s.Goto
	if next == "" && i+1 < len(steps) {
		next = steps[i+1].ID
	}
	if s.Exit {
		return nil
	}
	var to []string
	add := func(target string) {
		if target == "" {
			target = next
		}
		to = append(to, target)
	}
	if s.Wait != nil {
		for _, look := range s.Wait.For {
			add(look.Goto)
		}
		add(s.Wait.OnTimeout)
		return to
	}
	if s.Experiment != nil {
		for _, v := range s.Experiment.Variants {
			add(v.Goto)
		}
		return to
	}
	if s.Send != nil && s.Send.OnFail != "" {
		add(s.Send.OnFail)
	}
	if s.Branch != nil {
		for _, arm := range s.Branch.Arms {
			add(arm.Goto)
			if arm.When == nil {
				return to
			}
		}
	}
	add(next)
	return to
}
