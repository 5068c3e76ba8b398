package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const liftDefinitions = `
apiVersion: nudge/v1
kind: Campaign
metadata: {name: half}
spec:
  trigger: {event: {name: Go}}
  goals: [{id: bought, event: Order Completed, window: 3d, value: event.properties.total, reverse_on: Order Refunded}]
  policy: {holdout: {percent: 40}}
  steps: [{id: rest, delay: 30d}]
`

// The query that docs/reference/holdouts.md gives for ClickHouse has the figures of a simulation
// of the same history.
func TestLiftInClickHouse(t *testing.T) {
	// shows: 198
	page, err := os.ReadFile("../../docs/reference/holdouts.md")
	if err != nil {
		t.Fatal(err)
	}
	_, query, _ := strings.Cut(string(page), "```sql\nWITH\n")
	query, _, found := strings.Cut(query, "```\n")
	if !found {
		t.Fatal("the page has no query for the lift")
	}
	s := newServer(t, liftDefinitions, "NUDGE_PARTITIONS=4")
	s.start()
	s.ready()
	var calls []map[string]any
	track := func(customer, event string, total float64) {
		calls = append(calls, map[string]any{
			"type": "track", "userId": customer, "event": event, "messageId": fmt.Sprint("m", len(calls)),
			"properties": map[string]any{"total": total},
		})
	}
	for i := range 60 {
		customer := fmt.Sprint("c", i)
		track(customer, "Go", 0)
		if i%3 == 0 {
			track(customer, "Order Completed", float64(i)+0.25)
		}
		if i%9 == 0 { // a second chain of the same customer
			track(customer, "Go", 0)
			track(customer, "Order Completed", 1)
		}
		if i%12 == 3 {
			track(customer, "Order Refunded", 0)
		}
	}
	s.mustPost(calls)
	s.wantRows(time.Minute, 67, "SELECT count() FROM nudge.chains")
	s.wantRows(time.Minute, 33, "SELECT count() FROM nudge.goals") // 27 reached; 5 give back, one of them in two chains
	text, err := s.query("WITH\n" + query + " FORMAT JSONEachRow SETTINGS output_format_json_quote_64bit_integers = 0")
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	campaigns := filepath.Join(out, "half.yaml")
	if err := os.WriteFile(campaigns, []byte(liftDefinitions), 0o600); err != nil {
		t.Fatal(err)
	}
	table := s.nudge("simulate", "--campaigns", campaigns, "--from-log", "--out", out)
	summary, err := os.ReadFile(filepath.Join(out, "summary.json"))
	if err != nil {
		t.Fatal(err)
	}
	type side struct {
		Customers, Converted int
		Conversion, Revenue  float64
	}
	var simulated struct {
		Campaigns []struct {
			Lift struct {
				Treated         side
				HeldOut         side `json:"held_out"`
				Lift, Low, High float64
			}
		}
	}
	var asked struct {
		side
		HeldOutCustomers  int     `json:"held_out_customers"`
		HeldOutConverted  int     `json:"held_out_converted"`
		HeldOutConversion float64 `json:"held_out_conversion"`
		HeldOutRevenue    float64 `json:"held_out_revenue"`
		Lift, Low, High   float64
	}
	if err := json.Unmarshal(summary, &simulated); err != nil || len(simulated.Campaigns) != 1 {
		t.Fatalf("%v\n%s", err, summary)
	}
	if err := json.Unmarshal([]byte(text), &asked); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	l := simulated.Campaigns[0].Lift
	if asked.side != l.Treated || l.Lift != asked.Lift || l.Low != asked.Low || l.High != asked.High ||
		l.HeldOut != (side{
			asked.HeldOutCustomers, asked.HeldOutConverted, asked.HeldOutConversion, asked.HeldOutRevenue,
		}) {
		t.Errorf("ClickHouse says\n%s\nthe simulation\n%s", text, summary)
	}
	if l.Treated.Customers+l.HeldOut.Customers != 60 || l.HeldOut.Converted == 0 || l.Low >= l.Lift {
		t.Errorf("the history shows little\n%s", summary)
	}
	if !strings.Contains(table, fmt.Sprintf("half      %d of %d", l.Treated.Converted, l.Treated.Customers)) {
		t.Errorf("the table does not say it\n%s", table)
	}
}
