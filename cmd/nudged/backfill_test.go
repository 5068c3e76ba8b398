package main_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const thirdOrder = `apiVersion: nudge/v1
kind: Campaign
metadata: {name: third}
spec:
  trigger: {count: {event: Order Completed, reaches: 3}}
  steps: [{id: thanks, send: {channel: console, inline: {body: thanks}}}, {id: rest, delay: 30d}]
`

// The life of a campaign that needs history, on a real server: what a dry run says, the
// history counted in the log although the server is killed, what another definition would
// have done, and the way back to an older version.
func TestHistoryOfARunningServer(t *testing.T) {
	// shows: 108, 173, 174
	const customers = orderers
	s := newServer(t, crashDefinitions("http://127.0.0.1:1/"), "NUDGE_SNAPSHOT_EVERY=200ms", "NUDGE_PARTITIONS=4")
	s.start()
	s.ready()
	s.orders(1)
	s.orders(2)
	write := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	says := func(out string, wants ...string) {
		t.Helper()
		for _, want := range wants {
			if !strings.Contains(out, want) {
				t.Errorf("told\n%s\nwant %q in it", out, want)
			}
		}
	}
	third := write("third.yaml", thirdOrder)
	s.eventually(20*time.Second, "a dry run that sees all", func() error {
		out := s.nudge("apply", "--dry-run", third)
		if want := fmt.Sprintf("with --backfill the history of %d of them is known", customers); !strings.Contains(out, want) {
			return fmt.Errorf("told\n%s\nwant %q", out, want)
		}
		return nil
	})
	says(s.nudge("apply", "--dry-run", third), "Campaign third: would be version 1",
		"would be counted from now on: Order Completed; a trigger needs it", "Nothing was changed.")
	if out := s.nudge("list"); strings.Contains(out, "third") {
		t.Errorf("after the dry run the campaign is in force:\n%s", out)
	}

	s.beginBackfill(thirdOrder)
	s.kill()
	s.start()
	s.ready()
	s.eventually(30*time.Second, "the end of the backfill", func() error {
		text, err := s.look("/v1/backfill")
		if err == nil && !strings.Contains(text, `"open": false`) {
			err = errors.New(text)
		}
		return err
	})
	says(s.nudge("list"), "third  1")
	says(s.nudge("apply", "--dry-run", write("twin.yaml", strings.Replace(thirdOrder, "third", "twin", 1))),
		"Campaign twin: warning: campaign third has the same trigger and audience")
	s.orders(3)
	s.orders(4)
	s.wantRows(30*time.Second, customers, "SELECT count() FROM nudge.decisions WHERE campaign = 'third' AND kind = 'entered'")

	says(s.nudge("apply", "--backfill", write("fifth.yaml", strings.NewReplacer("third", "fifth", "reaches: 3", "reaches: 5",
		"Order Completed,", "Order Completed, where: event.properties.n > 0,").Replace(thirdOrder))),
		"counted in the log: Order Completed where event.properties.n > 0", "Campaign fifth: applied, version 1")
	s.orders(5)
	s.wantRows(30*time.Second, customers, "SELECT count() FROM nudge.decisions WHERE campaign = 'fifth' AND kind = 'entered'")

	says(s.nudge("apply", write("visits.yaml", strings.NewReplacer("third", "visits", "Order Completed", "Visited").
		Replace(thirdOrder))), "Campaign visits: applied, version 1", "counted from now on: Visited (nudge apply --backfill")
	second := strings.Replace(thirdOrder, "delay: 30d", "delay: 1d", 1)
	says(s.nudge("apply", "--dry-run", write("third.yaml", second)),
		fmt.Sprintf("step rest: %d chains wait (in_flight: follow): %d replanned", customers, customers))
	s.nudge("apply", write("third.yaml", second))
	says(s.nudge("rollback", "--dry-run", "third"), "Campaign third: would be version 3",
		fmt.Sprintf("step rest: %d chains wait", customers))
	says(s.nudge("rollback", "third"), "Campaign third: version 1 is in force again, as version 3")

	never := write("never.yaml", strings.Replace(thirdOrder, "reaches: 3", "reaches: 9", 1))
	says(s.nudge("simulate", "--campaigns", third, "--against", never, "--from-log", "--out", t.TempDir()),
		"the log is there from its beginning", fmt.Sprintf("%d -> 0 (-%d)", customers, customers))
	s.stop()
	says(s.nudge("simulate", "--campaigns", third, "--from-log", "--data", s.data, "--out", t.TempDir()),
		fmt.Sprintf("third     %d", customers))
	if out := s.nudge("verify", "--data", s.data); strings.Contains(out, "WRONG") {
		t.Error(out)
	}
}

// orderers are the customers of orders.
const orderers = 150

// orders sends one order of each customer.
func (s *server) orders(round int) {
	s.t.Helper()
	var calls []map[string]any
	for c := range orderers {
		calls = append(calls, map[string]any{
			"type": "track", "userId": fmt.Sprintf("u%d", c), "event": "Order Completed",
			"messageId": fmt.Sprintf("%d/%d", round, c), "properties": map[string]any{"n": round},
		})
	}
	if status, err := s.post(http.DefaultClient, calls); err != nil || status != http.StatusOK {
		s.t.Fatalf("orders: status %d, error %v", status, err)
	}
}

// beginBackfill begins a backfill and does not wait for its end.
func (s *server) beginBackfill(definitions string) {
	s.t.Helper()
	body, err := json.Marshal(map[string]any{"files": []map[string]string{{"name": "f.yaml", "text": definitions}}})
	if err != nil {
		s.t.Fatal(err)
	}
	response, err := s.request(http.MethodPost, "/v1/definitions?backfill=true", body)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var begun struct {
		Record uint64 `json:"record"`
	}
	if err := json.NewDecoder(response.Body).Decode(&begun); err != nil || begun.Record == 0 {
		s.t.Fatalf("the backfill begins with record %d, status %s, error %v", begun.Record, response.Status, err)
	}
}
