package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const explained = `apiVersion: nudge/v1
kind: Campaign
metadata: {name: greet}
spec:
  trigger: {event: {name: Hello}}
  audience: customer.traits.level == "gold"
  steps: [{id: rest, delay: 1d}, {id: say, send: {channel: console}}]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: other}
spec:
  trigger: {event: {name: Other}}
  steps: [{id: rest, delay: 1d}]
`

// A running server explains how a customer stands; stopped, it explains how that came.
func TestExplainServer(t *testing.T) {
	s := newServer(t, explained, "NUDGE_CHECKPOINT_EVERY=1s", "NUDGE_CHECKPOINTS=3")
	s.start()
	s.ready()
	for _, call := range []map[string]any{
		{"type": "track", "userId": "ann/é", "event": "Hello", "messageId": "m1"},
		{"type": "identify", "userId": "ann/é", "traits": map[string]any{"level": "gold"}, "messageId": "m2"},
		{"type": "track", "userId": "ann/é", "event": "Hello", "messageId": "m3"},
	} {
		if status, err := s.post(http.DefaultClient, []map[string]any{call}); err != nil || status != http.StatusOK {
			t.Fatalf("status %d, error %v", status, err)
		}
	}
	s.wantRows(30*time.Second, 3, "SELECT count() FROM nudge.events")
	wants := func(text string, want ...string) {
		t.Helper()
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%q is missing in\n%s", w, text)
			}
		}
	}
	wants(s.nudge("explain", "--admin", s.admin, "--customer", "ann/é", "--campaign", "greet"),
		`yes  audience          customer.traits.level == "gold" [customer.traits.level = "gold"]`,
		"rests             rest: delay [until = ", `then = "say"]`, "yes  consent           say/console",
		"greet, entry 1  entered", "greet  refused: audience")
	var answer struct {
		Customer  string `json:"customer"`
		Occasions []struct {
			What  string `json:"what"`
			Asked []struct {
				Campaign string `json:"campaign"`
			} `json:"asked"`
		} `json:"occasions"`
	}
	text := s.nudge("explain", "--admin", s.admin, "--customer", "ann/é", "--json")
	if err := json.Unmarshal([]byte(text), &answer); err != nil || answer.Customer != "ann/é" ||
		len(answer.Occasions) != 1 || answer.Occasions[0].What != "now" {
		t.Errorf("error %v, answer %s", err, text)
	}
	wants(text, `"campaign": "greet"`, `"campaign": "other"`)
	for path, want := range map[string]string{
		"nobody/explain":                         "no event of this customer was seen",
		"ann%2F%C3%A9/explain?campaign=nonsense": `there is no campaign \"nonsense\"`,
	} {
		if _, err := s.look("/v1/customers/" + path); err == nil || !strings.Contains(err.Error(), "404") ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want 404, %q", path, err, want)
		}
	}
	kept := filepath.Join(s.data, "state", "checkpoints", "*")
	s.eventually(30*time.Second, "3 checkpoints", func() error {
		if all, err := filepath.Glob(kept); err != nil || len(all) < 3 {
			return fmt.Errorf("%d checkpoints, error %w", len(all), err)
		}
		return nil
	})
	s.stop()
	if all, err := filepath.Glob(kept); err != nil || len(all) != 3 {
		t.Errorf("%d checkpoints are kept, error %v; want 3", len(all), err)
	}
	wants(s.nudge("explain", "--customer", "ann/é", "--data", s.data), "the whole history, until ", "event Hello (m1)",
		`NO   audience          customer.traits.level == "gold" [customer.traits.level is missing]`, "=> refused: audience",
		"event Hello (m3)", "=> entered")
	wants(s.nudge("customer", "ann/é", "--data", s.data), `"step": "rest"`)
}
