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
`

// reasonsOf are the reasons that a rule refuses for.
//
//nudge:constant read only
var reasonsOf = map[trace.Rule][]output.Reason{
	trace.RuleHistorical: {
		output.ReasonHistorical,
	},
	trace.RuleAge:    {output.ReasonTooOld},
	trace.RuleStatus: {output.ReasonPaused, output.ReasonInactive},
	trace.RulePeriod: {
		output.ReasonPeriod,
	},
	trace.RuleKey:     {output.ReasonKey},
	trace.RuleReentry: {output.ReasonOnce, output.ReasonCooldown, output.ReasonKeys},
	trace.RuleActive: {
		output.ReasonActive,
		output.ReasonTooMany,
	},
	trace.RuleAudience:  {output.ReasonAudience},
	trace.RuleConverted: {output.ReasonConverted},
	trace.RuleStopped:   {output.ReasonStopped},
	trace.RuleGroup:     {output.ReasonGroup},
	trace.RuleLate: {
		output.ReasonLate,
	},
	trace.RuleRecheck: {output.ReasonAudience},
	trace.RuleSends:   {output.ReasonOff},
	trace.RuleDisturb: {output.ReasonDisturb},
	trace.RuleConsent: {
		output.ReasonNoConsent,
	},
	trace.RulePreference: {output.ReasonPreference},
	trace.RuleQuiet:      {output.ReasonQuiet},
	trace.RuleCap:        {output.ReasonCap},
	trace.RuleConflict: {
		output.ReasonConflict,
	},
	trace.RuleDedupe:    {output.ReasonDedupe, output.ReasonKeys},
	trace.RuleVariables: {output.ReasonVariable},
	trace.RulePending:   {output.ReasonPending},
}

// Over random histories the last "no" before a refusal, a drop or a deferral is its reason,
// and none stands before what was sent: the explanation is that of the decision.
func TestTraceSaysTheReason(t *testing.T) {
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[output.Reason]int{}
	for seed := range uint64(80) {
		id := fmt.Sprintf("c%d", seed)
		trace := trace.NewTrace(lang, "w", id, "")
		m := New()
		m.Observe(trace)
		// b comes into the group while its chains run: they are in the way of others.
		first := strings.Replace(guarded, "group: x, priority: 2", "priority: 2", 1)
		sets := []*active.Set{tracedSet(t, lang, first), tracedSet(t, lang, guarded)}
		guardedHistory(seeded(seed), m, customer.New("w", id, 0, 1), sets)
		for _, o := range trace.Steps {
			checkReasons(t, o.Results, seen)
		}
	}
	for rule, reasons := range reasonsOf { //nudge:unordered each is looked at alone
		if rule != trace.RulePending &&
			!slices.ContainsFunc(reasons, func(r output.Reason) bool { return seen[r] > 0 }) {
			t.Errorf("no history shows the rule %s", rule)
		}
	}
	t.Log(slices.Sorted(maps.Keys(seen)), seen)
}

// guardedHistory lives through a day and a half, with the sets of campaigns in turn.
func guardedHistory(r *rand.Rand, m *Machine, c *customer.Customer, sets []*active.Set) {
	now := int64(1_772_359_200_000) // 2026-03-01T10:00:00Z
	for i := range 150 {
		m.Use(sets[i/5%len(sets)])
		now += r.Int64N(20 * 60_000)
		if r.IntN(4) > 0 {
			m.Fire(c, now, now, new(output.Output))
		}
		e := event.Event{
			Workspace: "w", Customer: c.ID, ID: strconv.Itoa(i), Type: event.Track, Time: now,
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
				Customer:  c.ID,
				ID:        e.ID,
				Type:      event.Identify,
				Name:      event.IdentifyName,
				Time:      now,
				Traits: fmt.Appendf(
					nil,
					`{"level":%d,"consent":{"marketing":%t,"news":%t},"preferences":{"push":%t}}`,
					r.IntN(6),
					r.IntN(5) > 0,
					r.IntN(3) > 0,
					r.IntN(5) > 0,
				),
			}
		case 1:
			e.Name, e.Properties = "Do Not Disturb", fmt.Appendf(nil, `{"enabled":%t}`, r.IntN(4) == 0)
		}
		m.Fire(c, now, now, new(output.Output))
		m.Apply(c, &e, now, i == 0, new(output.Output))
	}
}

// checkReasons compares the decisions of one occasion with the rules asked before them.
func checkReasons(t *testing.T, asked []trace.RuleResult, seen map[output.Reason]int) {
	t.Helper()
	for i := range asked {
		d := asked[i].Decision
		if d == nil || d.Campaign == "" {
			continue
		}
		wants := d.Kind == output.Refused || d.Kind == output.Dropped || d.Kind == output.Deferred
		if !wants && d.Kind != output.Sent && d.Kind != output.Entered {
			continue
		}
		last := lastNo(asked[:i], d)
		switch {
		case wants && (last == nil || !slices.Contains(reasonsOf[last.Rule], d.Reason)):
			t.Errorf("%s %s of %s: the last no is %+v\n%+v", d.Kind, d.Reason, d.Campaign, last, asked)
		case !wants && last != nil:
			t.Errorf("%s of %s in spite of %+v", d.Kind, d.Campaign, last)
		case wants:
			seen[d.Reason]++
		}
	}
}

// lastNo is the last rule of the campaign that said no since its last decision; what a
// trigger, a matcher or a branch answers refuses nothing.
func lastNo(asked []trace.RuleResult, d *output.Decision) *trace.RuleResult {
	for i := len(asked) - 1; i >= 0; i-- {
		a := &asked[i]
		if a.Campaign != d.Campaign || a.Entry != 0 && d.Entry != 0 && a.Entry != d.Entry {
			continue
		}
		if a.Decision != nil {
			return nil
		}
		if _, gate := reasonsOf[a.Rule]; gate && a.Answer == trace.No {
			return a
		}
	}
	return nil
}
