package audit_test

import (
	"testing"
	"time"

	"github.com/nudge-engine/nudge/sim/audit"
)

func TestYAML(t *testing.T) {
	c := audit.Campaign{
		Name: "c",
		Trigger: audit.Trigger{Kind: audit.KindEvent, Event: "Cart Updated", Where: audit.P(
			audit.Comparison{Subject: audit.SubjectEvent, Path: "value", Op: ">=", Value: 20.0})},
		Audience: audit.P(audit.Comparison{Subject: audit.SubjectCustomer, Path: "level", Op: "==", Value: "gold"},
			audit.Comparison{Subject: audit.SubjectCustomer, Count: "Order Completed", Op: ">=", Value: 2.0}),
		Reentry: audit.Reentry{
			Mode: audit.ModeCooldown, Cooldown: 90 * time.Second, FromExit: true,
			KeyProperty: "id", MaxActive: 2, OnActive: audit.ActiveParallel,
		},
		MaxEventAge: 6 * time.Hour,
		Goals: []audit.Goal{{
			ID: "g", Match: audit.Match{Event: "Order", Property: "id"},
			Window: 72 * time.Hour, FromDelivery: true, ValueProperty: "total", Stop: true,
		}},
		Stops: []audit.Match{{Event: "Cart Cleared"}},
		Steps: []audit.Step{
			{ID: "w", Wait: &audit.Wait{
				Timeout: 25 * time.Hour, FromEntry: true, OnTimeout: "s",
				For: []audit.WaitFor{{Match: audit.Match{Event: "Read"}, Goto: audit.End}},
			}},
			{ID: "b", Branch: &audit.Branch{Arms: []audit.Arm{{When: c1(), Goto: "s"}, {Goto: audit.End}}}},
			{ID: "s", Send: &audit.Send{Channels: []string{"email", "push"}}, Goto: "x"},
			{ID: "d", Delay: &audit.Delay{For: 1500 * time.Millisecond, FromEntry: true}},
			{ID: "x", Exit: true},
		},
	}
	want := `apiVersion: nudge/v1
kind: Campaign
metadata: {name: "c"}
spec:
  trigger: {event: {name: "Cart Updated", where: "event.properties.value >= 20.0"}}
  audience: "customer.traits.level == \"gold\" && customer.count(\"Order Completed\") >= 2"
  reentry: {key: "event.properties.id", mode: cooldown, cooldown: 90s, from: exit, max_active: 2, on_active: parallel}
  max_event_age: 6h
  goals:
    - {id: "g", event: "Order", match: "id", window: 3d, from: delivery, value: "event.properties.total", stop: true}
  stop:
    - {event: "Cart Cleared"}
  steps:
    - {id: "w", wait: {timeout: 25h, since: entry, for: [{event: "Read", goto: "end"}], on_timeout: {goto: "s"}}}
    - {id: "b", branch: [{when: "trigger.properties.v < 1.5", goto: "s"}, {goto: "end"}]}
    - {id: "s", send: {channels: ["email", "push"], inline: {body: hello}}, goto: "x"}
    - {id: "d", delay: {for: 1500ms, from: entry}}
    - {id: "x", exit: {reason: done}}
`
	if got := c.YAML(); got != want {
		t.Errorf("unexpected document; got\n%s", got)
	}
}

func c1() *audit.Pred {
	return audit.P(audit.Comparison{Subject: audit.SubjectTrigger, Path: "v", Op: "<", Value: 1.5})
}
