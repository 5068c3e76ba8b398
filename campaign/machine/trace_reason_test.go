package machine

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/trace"
)

// guarded is campaigns that use every gate of an entry and of a send.
const guarded = `apiVersion: nudge/v1
kind: Policy
metadata: {name: house}
spec:
  caps: [{name: one, limit: 1, window: 1h}, {name: few, limit: 2, window: 3h}]
  sends_off: {campaigns: [off]}
  require_consent: [news]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: a}
spec:
  trigger: {event: {name: E}}
  audience: customer.traits.level > 2
  recheck: before_send
  late: skip
  max_event_age: 2h
  reentry: {key: event.properties.key, mode: cooldown, cooldown: 90m}
  goals: [{id: g, event: G}]
  stop: [{event: S}]
  policy: {caps: [one, few], group: x, quiet_hours: {from: "10:00", to: "11:00"}, dedupe: {key: trigger.properties.key, window: 1h}}
  steps:
    - {id: w, wait: {timeout: 10m, for: [{event: W}]}}
    - {id: s, send: {channels: [email, push], on_cap: defer, on_drop: {goto: t}}}
    - {id: t, send: {channel: push, to: trigger.properties.phone, category: transactional}}
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: b}
spec:
  trigger: {event: {name: E}}
  reentry: {on_active: parallel, max_active: 3}
  policy: {category: news, caps: [few], group: x, priority: 2, dedupe: {key: trigger.properties.key, window: 1h}}
  steps: [{id: s, send: {channel: email, on_drop: exit}}, {id: rest, delay: 3h}]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: c}
spec:
  trigger: {event: {name: W}}
  reentry: {on_active: parallel, max_active: 3}
  until: 2026-03-01T23:00:00Z
  policy: {caps: [one], quiet_hours: {from: "14:00", to: "15:00", on_quiet: drop}, dedupe: {key: trigger.properties.key, window: 2h}}
  steps: [{id: s, send: {channel: push, on_cap: exit}}, {id: d, delay: 4h}]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: off}
spec:
  trigger: {event: {name: G}}
  reentry: {mode: once}
  steps: [{id: s, send: {channel: email}}, {id: d, delay: 1h}]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: paused}
spec:
  status: paused
  trigger: {event: {name: S}}
  steps: [{id: s, send: {channel: email}}]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: kept}
spec:
  status: {state: paused, entries: queue}
  trigger: {event: {name: W}}
  steps: [{id: s, send: {channel: email}}]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: restart}
spec:
  trigger: {event: {name: E}}
  reentry: {on_active: restart, mode: cooldown, cooldown: 2h}
  audience: customer.traits.level > 1
  steps: [{id: d, delay: 3h}, {id: s, send: {channel: push}}]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: refresh}
spec:
  trigger: {event: {name: E}}
  reentry: {on_active: refresh, mode: once}
  goals: [{id: g, event: G, where: event.properties.key > 1}]
  steps: [{id: d, delay: 2h}, {id: s, send: {channel: push}}]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: silent}
spec:
  trigger: {inactivity: {event: E, for: 30m}}
  audience: event.properties.key > 1
  late: exit
  steps: [{id: s, send: {channel: push}}]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: dated}
spec:
  trigger: {date: {path: customer.traits.birthday, at: "12:00", catch_up: 5m}}
  steps: [{id: s, send: {channel: push}}]
`

// gateReasons are the reasons of the gates, by rule.
func gateReasons() map[trace.Rule][]output.Reason {
	all := map[trace.Rule][]output.Reason{}
	for _, g := range slices.Concat(entryGates, groupGates) {
		all[g.rule] = append(all[g.rule], g.reasons...)
	}
	for _, g := range sendGates {
		all[g.rule] = append(all[g.rule], g.reasons...)
	}
	return all
}

// unshown are the reasons of limits that these histories do not reach.
//
//nudge:constant read only
var unshown = []output.Reason{output.ReasonKeys, output.ReasonTooMany, output.ReasonPending}

// otherReasons refuse before an entry is asked for: no gate says them.
//
//nudge:constant read only
var otherReasons = []output.Reason{output.ReasonHistory, output.ReasonStates, output.ReasonNoCampaign}

// Over random histories the last "no" before a refusal, a drop or a deferral is its reason,
// and none stands before what was sent: the explanation is that of the decision.
func TestTraceSaysTheReason(t *testing.T) {
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[output.Reason]int{}
	reasons := gateReasons()
	for seed := range uint64(60) {
		id := fmt.Sprintf("c%d", seed)
		trace := trace.NewTrace(lang, "w", id, "")
		m := New()
		m.Observe(trace)
		guardedHistory(seeded(seed), m, customer.New("w", id, 0, 1), guardedSets(t, lang))
		for _, o := range trace.Steps {
			checkReasons(t, o.Results, reasons, seen)
		}
	}
	for rule, reasons := range gateReasons() { //nudge:unordered each is looked at alone
		for _, reason := range reasons {
			if seen[reason] == 0 && !slices.Contains(unshown, reason) {
				t.Errorf("no history shows that %s refuses with %s", rule, reason)
			}
		}
	}
	t.Log(slices.Sorted(maps.Keys(seen)), seen)
}

// guardedSets are the sets of campaigns that take turns: b comes into the group while its chains
// run, so they are in the way of others; what is kept for a paused campaign finds it a draft.
func guardedSets(t *testing.T, lang *expr.Language) []*active.Set {
	t.Helper()
	first := strings.Replace(guarded, "group: x, priority: 2", "priority: 2", 1)
	second := strings.Replace(guarded, "{state: paused, entries: queue}", "draft", 1)
	return []*active.Set{tracedSet(t, lang, first), tracedSet(t, lang, second)}
}

// guardedHistory lives through a day and a half, with the sets of campaigns in turn.
func guardedHistory(r *rand.Rand, m *Machine, c *customer.Customer, sets []*active.Set) {
	now := int64(1_772_359_200_000) // 2026-03-01T10:00:00Z
	for i := range 150 {
		m.Use(sets[i/5%len(sets)])
		now += r.Int64N(20 * 60_000)
		if i%5 == 0 {
			m.Replan(c, now, new(output.Output))
		}
		if r.IntN(4) > 0 {
			m.Fire(c, now, now, new(output.Output))
		}
		e := guardedEvent(r, c.ID, i, now)
		m.Fire(c, now, now, new(output.Output))
		m.Apply(c, &e, now, i == 0, new(output.Output))
	}
}

// guardedEvent is a random event of a customer.
func guardedEvent(r *rand.Rand, id string, i int, now int64) event.Event {
	e := event.Event{
		Workspace: "w", Customer: id, ID: strconv.Itoa(i), Type: event.Track, Time: now,
		Name: []string{"E", "E", "W", "G", "S"}[r.IntN(5)], Historical: r.IntN(20) == 0,
		Properties: []byte([]string{`{"key":1,"phone":"+1"}`, `{"key":2}`, `{}`}[r.IntN(3)]),
	}
	if r.IntN(3) == 0 {
		e.Time -= r.Int64N(4 * 3_600_000)
	}
	switch r.IntN(8) {
	case 0:
		e = event.Event{
			Workspace: "w",
			Customer:  id,
			ID:        e.ID,
			Type:      event.Identify,
			Name:      event.IdentifyName,
			Time:      now,
			Traits: fmt.Appendf(
				nil,
				`{"level":%d,"birthday":"2026-03-0%d","consent":{"marketing":%t,"news":%t},"preferences":{"push":%t}}`,
				r.IntN(6), 1+r.IntN(3),
				r.IntN(5) > 0,
				r.IntN(3) > 0,
				r.IntN(5) > 0,
			),
		}
	case 1:
		e.Name, e.Properties = "Do Not Disturb", fmt.Appendf(nil, `{"enabled":%t}`, r.IntN(4) == 0)
	}
	return e
}

// checkReasons compares the decisions of one occasion with the rules asked before them.
func checkReasons(
	t *testing.T, asked []trace.RuleResult, reasons map[trace.Rule][]output.Reason, seen map[output.Reason]int,
) {
	t.Helper()
	for i := range asked {
		d := asked[i].Decision
		if d == nil || d.Campaign == "" {
			continue
		}
		refuses := []output.Kind{output.Refused, output.Queued, output.Dropped, output.Deferred}
		passes := []output.Kind{output.Sent, output.Entered, output.Refreshed, output.Restarted}
		wants := slices.Contains(refuses, d.Kind)
		if !wants && !slices.Contains(passes, d.Kind) || slices.Contains(otherReasons, d.Reason) {
			continue
		}
		last := lastNo(asked[:i], reasons, d)
		switch {
		case wants && (last == nil || !slices.Contains(reasons[last.Rule], d.Reason)):
			t.Errorf("%s %s of %s: the last no is %+v\n%+v", d.Kind, d.Reason, d.Campaign, last, asked)
		case !wants && last != nil:
			t.Errorf("%s of %s in spite of %+v", d.Kind, d.Campaign, last)
		case wants:
			seen[d.Reason]++
		}
	}
}

// lastNo is the last rule of the campaign that said no since its last decision; what a
// trigger, a matcher or a branch answers refuses nothing. An expression that failed is
// written down while its gate is asked.
func lastNo(
	asked []trace.RuleResult, reasons map[trace.Rule][]output.Reason, d *output.Decision,
) *trace.RuleResult {
	for i := len(asked) - 1; i >= 0; i-- {
		a := &asked[i]
		if a.Campaign != d.Campaign || a.Entry != 0 && d.Entry != 0 && a.Entry != d.Entry {
			continue
		}
		if a.Decision != nil {
			if a.Decision.Kind == output.Erred {
				continue
			}
			return nil
		}
		if len(reasons[a.Rule]) > 0 && a.Answer == trace.No {
			return a
		}
	}
	return nil
}
