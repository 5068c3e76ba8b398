package main_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

const statusDefinitions = `
apiVersion: nudge/v1
kind: Campaign
metadata: {name: faulty}
spec:
  trigger: {event: {name: Go}}
  audience: customer.traits.level != "bronze"
  steps:
    - id: ask
      branch: [{when: int(trigger.properties.n) > 5, goto: rest}, {goto: rest}]
    - {id: rest, delay: 30d}
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: over}
spec:
  until: 2020-01-01T00:00:00Z
  trigger: {event: {name: Go}}
  steps: [{id: rest, delay: 30d}]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: hooked}
spec:
  status: paused
  trigger: {webhook: {mapping: {userId: $.id}}}
  steps: [{id: rest, delay: 30d}]
`

// How a campaign stands can be asked, with its last errors: also why it takes no triggers.
func TestCampaignStatus(t *testing.T) {
	// shows: 175
	s := newServer(t, statusDefinitions, "NUDGE_PARTITIONS=2")
	s.start()
	s.ready()
	var calls []map[string]any
	call := func(kind, customer string, more map[string]any) {
		c := map[string]any{"type": kind, "userId": customer, "messageId": fmt.Sprint("m", len(calls))}
		for k, v := range more {
			c[k] = v
		}
		calls = append(calls, c)
	}
	for i := range 30 {
		customer, n := fmt.Sprintf("c%02d", i), any(i)
		level := "gold"
		if i >= 26 { // four whom the audience refuses
			level = "bronze"
		}
		if i < 22 { // more errors than are shown
			n = "no number"
		}
		call("identify", customer, map[string]any{"traits": map[string]any{"level": level}})
		call("track", customer, map[string]any{"event": "Go", "properties": map[string]any{"n": n}})
	}
	s.mustPost(calls)
	s.wantRows(time.Minute, 26, "SELECT count() FROM nudge.chains")
	out := s.nudge("status", "faulty")
	for _, want := range []string{
		"faulty: version 1, active; takes triggers\n", "26 active chains\n",
		"entered                              26     20",
		"erred                    evaluation  22 ", "refused                  audience    4 ",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("told\n%s\nwant %q in it", out, want)
		}
	}
	if n := strings.Count(out, " erred evaluation  type conversion error"); n != 20 {
		t.Errorf("%d errors are shown; want the last 20\n%s", n, out)
	}
	for name, wants := range map[string][]string{
		"over": {
			"over: version 1, active; takes no triggers: it ended at 2020-01-01T00:00:00Z\n", "0 active chains\n",
			"refused                  outside_period  30 ", "no errors\n",
		},
		"hooked": {
			"hooked: version 1, paused; takes no triggers: its status is paused\n", "called at POST /v1/hooks/hooked",
			"nothing was decided in the last day",
		},
	} {
		out := s.nudge("status", name)
		for _, want := range wants {
			if !strings.Contains(out, want) {
				t.Errorf("told\n%s\nwant %q in it", out, want)
			}
		}
	}
	var answer struct {
		Takes   bool `json:"takes_triggers"`
		Figures struct {
			Errors []struct{ Customer, Step, Detail string }
		}
	}
	if err := json.Unmarshal([]byte(s.nudge("status", "faulty", "--json")), &answer); err != nil || !answer.Takes ||
		len(answer.Figures.Errors) != 20 || answer.Figures.Errors[0].Detail == "" {
		t.Errorf("error %v, answer %+v", err, answer)
	}
	if _, err := s.look("/v1/campaigns/none"); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("a campaign that is not there: %v", err)
	}
}
