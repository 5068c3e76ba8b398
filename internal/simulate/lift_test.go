package simulate_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/internal/simulate"
)

// The examples that Newcombe's paper prints for method 10.
func TestInterval(t *testing.T) {
	for _, c := range []struct {
		x, n, y, m int
		low, high  float64
	}{
		{56, 70, 48, 80, 0.0524, 0.3339},
		{9, 10, 3, 10, 0.1705, 0.8090},
		{6, 7, 2, 7, 0.0582, 0.8062},
		{5, 56, 0, 29, -0.0381, 0.1926},
		{0, 10, 0, 20, -0.1611, 0.2775},
		{10, 10, 0, 10, 0.6075, 1.0000},
	} {
		low, high := simulate.Interval(c.x, c.n, c.y, c.m)
		if math.Abs(low-c.low) > 0.00005 || math.Abs(high-c.high) > 0.00005 {
			t.Errorf("%d/%d - %d/%d: from %.4f to %.4f; want %.4f to %.4f", c.x, c.n, c.y, c.m, low, high, c.low, c.high)
		}
	}
}

const heldOutHalf = `
apiVersion: nudge/v1
kind: Campaign
metadata: {name: half}
spec:
  trigger: {event: {name: Go}}
  goals: [{id: bought, event: Bought, window: 3d, value: event.properties.total, reverse_on: Refund}]
  policy: {holdout: {percent: 50}}
  steps: [{id: say, send: {channel: mail}}, {id: rest, delay: 1d}]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: whole}
spec:
  trigger: {event: {name: Go}}
  goals: [{id: bought, event: Bought, window: 3d}]
  steps: [{id: say, send: {channel: mail}}]
`

// The summary compares customers, however many chains each has; what was taken back is
// no conversion; a campaign without a holdout has null.
func TestLift(t *testing.T) {
	// shows: 198
	var events []event.Event
	at := int64(start)
	call := func(customer, name, properties string) {
		at++
		events = append(events, track(customer, fmt.Sprintf("m%d", at), name, properties, at))
	}
	// 4 of either side. Of the treated three buy, one of them in two chains, one gives
	// back; of those held out one buys.
	sides := map[bool]int{}
	for i := 0; sides[true] < 4 || sides[false] < 4; i++ {
		customer := fmt.Sprintf("c%d", i)
		held := program.Bucket("half", customer) < 5000
		if sides[held]++; sides[held] > 4 {
			continue
		}
		call(customer, "Go", "{}")
		switch n := sides[held]; {
		case n == 1 && held:
			call(customer, "Bought", `{"total":7.5}`)
		case n == 1:
			call(customer, "Bought", `{"total":20}`)
			call(customer, "Go", "{}")
			call(customer, "Bought", `{"total":1}`)
		case n == 2 && !held:
			call(customer, "Bought", `{"total":5}`)
		case n == 3 && !held:
			call(customer, "Bought", `{"total":100}`)
			call(customer, "Refund", "{}")
		}
	}
	text := string(run(t, heldOutHalf, events, 3)["summary.json"])
	var summary struct{ Campaigns []simulate.Summary }
	if err := json.Unmarshal([]byte(text), &summary); err != nil {
		t.Fatal(err)
	}
	if len(summary.Campaigns) != 2 || summary.Campaigns[1].Lift != nil || !strings.Contains(text, `"lift": null`) {
		t.Fatalf("the campaign without a holdout has a lift\n%s", text)
	}
	got := summary.Campaigns[0].Lift
	if got == nil || got.Lift == nil {
		t.Fatalf("there is no lift\n%s", text)
	}
	treated := simulate.Side{Customers: 4, Converted: 2, Conversion: 0.5, Revenue: "26"}
	heldOut := simulate.Side{Customers: 4, Converted: 1, Conversion: 0.25, Revenue: "7.5"}
	if got.Treated != treated || got.HeldOut != heldOut || *got.Lift != 0.25 || *got.Low >= 0 || *got.High <= 0.25 {
		t.Errorf("unexpected lift\n%s", text)
	}
}
