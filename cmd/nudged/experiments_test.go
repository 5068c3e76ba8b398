package main_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/campaign/program"
)

const experimentDefinitions = `
apiVersion: nudge/v1
kind: Campaign
metadata: {name: offer}
spec:
  trigger: {event: {name: Go}}
  goals: [{id: bought, event: Order Completed, window: 2h, stop: false}]
  steps:
    - {id: text, experiment: {variants: [{id: a}, {id: b}], winner: {min_per_variant: 40, min_time: 6h}}}
    - {id: rest, delay: 30d}
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: skewed}
spec:
  trigger: {event: {name: Skew}}
  goals: [{id: bought, event: Order Completed, window: 2h, stop: false}]
  steps:
    - {id: text, experiment: {variants: [{id: a}, {id: b}], salt: offer/text, winner: {min_per_variant: 20, min_time: 6h}}}
    - {id: rest, delay: 30d}
`

// variantOf is the variant that a customer's bucket gives.
func variantOf(customer string) string {
	if program.Bucket("offer/text", customer) < 5000 {
		return "a"
	}
	return "b"
}

// Customers pass an experiment; the server is killed, and killed again, while their goal
// windows are over and the hour comes at which the experiment is decided. The decision
// is made once, from what the log has, and who comes later takes the winner.
func TestExperimentIsDecided(t *testing.T) {
	// shows: 197
	s := newServer(t, experimentDefinitions, "NUDGE_PARTITIONS=4")
	s.start()
	s.ready()
	exposed, bought := map[string]int{}, map[string]int{}
	var calls []map[string]any
	track := func(customer, event string) {
		calls = append(calls, map[string]any{
			"type": "track", "userId": customer, "event": event, "messageId": customer + event, "properties": map[string]any{},
		})
	}
	for i := range 120 {
		customer := fmt.Sprintf("u%d", i)
		v := variantOf(customer)
		track(customer, "Go")
		// Every fifth of a and every second of b buys.
		if exposed[v]++; exposed[v]%map[string]int{"a": 5, "b": 2}[v] == 0 {
			track(customer, "Order Completed")
			bought[v]++
		}
	}
	for i, of := 0, map[string]int{}; of["a"]+of["b"] < 80; i++ { // one of a for three of b
		customer := fmt.Sprintf("s%d", i)
		if v := variantOf(customer); of[v] < map[string]int{"a": 20, "b": 60}[v] {
			of[v]++
			track(customer, "Skew")
		}
	}
	s.mustPost(calls)
	s.wantRows(time.Minute, len(calls), "SELECT count() FROM nudge.events")
	if got := s.nudge("experiments"); !strings.Contains(got, "offer/text: no look yet, first at 40 matured each") ||
		!strings.Contains(got, fmt.Sprintf("a        1       %d       0        0", exposed["a"])) {
		t.Errorf("unexpected experiments\n%s", got)
	}
	s.kill()
	s.env = append(s.env, "NUDGE_CLOCK_OFFSET=7h") // min_time and the windows are over
	s.start()
	s.ready()
	want := []string{
		"offer/text: b wins (confidence, ",
		fmt.Sprintf("a        1       -        %d       %d ", exposed["a"], bought["a"]),
		fmt.Sprintf("b        1       -        %d       %d ", exposed["b"], bought["b"]),
	}
	decided := func() error {
		got := s.nudge("experiments", "offer")
		for _, part := range want {
			if !strings.Contains(got, part) {
				return errors.New(got + "\nwant " + part)
			}
		}
		return nil
	}
	s.eventually(time.Minute, "a decision", decided)
	s.blocked()
	s.kill()
	s.env = append(s.env, "NUDGE_CLOCK_OFFSET=9h")
	s.start()
	s.ready()
	s.eventually(time.Minute, "the same decision", decided)
	s.blocked()
	calls = calls[:0]
	for i, late := 0, 0; late < 5; i++ {
		if customer := fmt.Sprintf("late%d", i); variantOf(customer) == "a" {
			track(customer, "Go")
			late++
		}
	}
	s.mustPost(calls)
	s.wantRows(time.Minute, 5, "SELECT count() FROM nudge.decisions WHERE kind = 'assigned' AND detail = 'b' "+
		"AND customer LIKE 'late%'")
	s.wantRows(time.Minute, 1, "SELECT count() FROM nudge.decisions WHERE kind = 'decided' AND campaign = 'offer' "+
		"AND step = 'text' AND reason = 'confidence' AND detail LIKE 'b: a %'")
	s.stop()
	if got := s.nudge("verify", "--data", s.data); strings.Contains(got, "WRONG") {
		t.Error(got)
	}
}

// blocked: the experiment whose shares are wrong is not decided, and everybody can see why.
func (s *server) blocked() {
	s.t.Helper()
	s.eventually(time.Minute, "a block", func() error {
		if got := s.nudge("experiments", "skewed"); !strings.Contains(got, "skewed/text: blocked: chance gives such shares") {
			return errors.New(got)
		}
		got, err := s.look("/metrics")
		if err == nil && !strings.Contains(got, "nudge_experiments_blocked 1\n") {
			err = errors.New("nudge_experiments_blocked is not 1")
		}
		return err
	})
	s.wantRows(time.Minute, 1, "SELECT count() FROM nudge.decisions WHERE kind = 'blocked' AND campaign = 'skewed' "+
		"AND reason = 'sample_ratio'")
	s.wantRows(time.Minute, 0, "SELECT count() FROM nudge.decisions WHERE kind = 'decided' AND campaign = 'skewed'")
	if !strings.Contains(s.log.String(), "experiment blocked") {
		s.t.Error("the log does not say that the experiment is blocked")
	}
}

func (s *server) mustPost(calls []map[string]any) {
	s.t.Helper()
	if status, err := s.post(http.DefaultClient, calls); err != nil || status != http.StatusOK {
		s.t.Fatalf("the batch was answered with %d, %v", status, err)
	}
}
