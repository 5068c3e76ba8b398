package simulate_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/internal/simulate"
)

// run simulates events over definitions and returns the files.
func run(t *testing.T, definitions string, events []event.Event, partitions int) map[string][]byte {
	t.Helper()
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	docs, err := parse.File(lang, "f.yaml", []byte(definitions))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	report, err := simulate.NewReport(dir, docs)
	if err != nil {
		t.Fatal(err)
	}
	s, err := simulate.New(simulate.Config{Lang: lang, Documents: docs, Partitions: partitions, Sink: report}, events[0].Time)
	if err != nil {
		t.Fatal(err)
	}
	for i := range events {
		if err := s.Call(&events[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Finish(); err != nil {
		t.Fatal(err)
	}
	if _, err := report.Close(); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, name := range []string{"deliveries.ndjson", "chains.ndjson", "decisions.ndjson", "summary.json"} {
		if files[name], err = os.ReadFile(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

const start = 1_772_359_200_000 // 2026-03-01T10:00:00Z

func track(customer, id, name, properties string, at int64) event.Event {
	return event.Event{
		Workspace: simulate.Workspace, Customer: customer, ID: id, Type: event.Track, Name: name, Time: at,
		Properties: []byte(properties),
	}
}

const offer = `
apiVersion: nudge/v1
kind: Campaign
metadata: {name: offer}
spec:
  trigger: {event: {name: Go}}
  goals: [{id: g, event: Bought, window: 3d}]
  steps:
    - {id: x, experiment: {variants: [{id: a, weight: 20, goto: to_a}, {id: b, weight: 30, goto: to_b}, {id: c, weight: 50}]}}
    - {id: to_c, send: {channel: mail}, goto: end}
    - {id: to_b, send: {channel: push}, goto: end}
    - {id: to_a, send: {channel: sms}}
`

// The shares of the variants are those of the weights within chance, each customer
// always has the same variant, and the number of partitions does not show.
func TestExperimentShares(t *testing.T) {
	// shows: 193
	const customers = 5000
	var events []event.Event
	for i := range 2 * customers {
		events = append(events, track(fmt.Sprintf("c%d", i%customers), fmt.Sprintf("m%d", i), "Go", "{}", start+int64(i)))
	}
	one := run(t, offer, events, 1)
	for _, n := range []int{4, 16} {
		for name, text := range run(t, offer, events, n) {
			if !bytes.Equal(text, one[name]) {
				t.Errorf("%s differs with %d partitions", name, n)
			}
		}
	}
	count, of := map[string]int{}, map[string]string{}
	channels := map[string]string{"a": "sms", "b": "push", "c": "mail"}
	for line := range bytes.Lines(one["deliveries.ndjson"]) {
		var d struct{ Customer, Variant, Channel string }
		if err := json.Unmarshal(line, &d); err != nil {
			t.Fatal(err)
		}
		if was, known := of[d.Customer]; known && was != d.Variant || d.Channel != channels[d.Variant] {
			t.Fatalf("%s has variant %s on %s, before %q", d.Customer, d.Variant, d.Channel, was)
		}
		of[d.Customer] = d.Variant
		count[d.Variant]++
	}
	for variant, share := range map[string]float64{"a": 0.2, "b": 0.3, "c": 0.5} {
		sd := math.Sqrt(share * (1 - share) / customers)
		if got := float64(count[variant]) / (2 * customers); math.Abs(got-share) > 4*sd {
			t.Errorf("variant %s has %.4f of the chains; want %.2f within %.4f", variant, got, share, 4*sd)
		}
	}
	if line, _, _ := bytes.Cut(one["chains.ndjson"], []byte("\n")); !bytes.Contains(line, []byte(`"variants":{"x":"`)) {
		t.Errorf("the variants do not show: %s", line)
	}
}

// A refund takes the goal and its value back in the chain and in the summary; with a
// primary goal the others bring no revenue.
func TestReversalShows(t *testing.T) {
	// shows: 12, 182
	const text = `
apiVersion: nudge/v1
kind: Campaign
metadata: {name: cart}
spec:
  trigger: {event: {name: Cart}}
  reentry: {key: event.properties.id}
  goals:
    - {id: seen, event: Seen, match: id, window: 3d, value: "1", stop: false}
    - {id: bought, event: Order, match: id, window: 3d, value: event.properties.total, reverse_on: Refund, primary: true}
  steps: [{id: d, delay: 10d}]
`
	files := run(t, text, []event.Event{
		track("u", "1", "Cart", `{"id":1}`, start), track("u", "2", "Seen", `{"id":1}`, start+1),
		track("u", "3", "Order", `{"id":1,"total":20}`, start+2), track("v", "4", "Cart", `{"id":2}`, start+3),
		track("v", "5", "Order", `{"id":2,"total":7.5}`, start+4), track("u", "6", "Refund", `{"id":1}`, start+5),
		track("u", "7", "Refund", `{"id":1}`, start+6),
	}, 1)
	want := `{"campaign":"cart","customer":"u","key":"1","entry":1,"entered_at":"2026-03-01T10:00:00Z",` +
		`"ended_at":"2026-03-01T10:00:00.002Z","outcome":"goal","goal":"seen","value":1,"variants":null,"held_out":false}` + "\n" +
		`{"campaign":"cart","customer":"v","key":"2","entry":1,"entered_at":"2026-03-01T10:00:00.003Z",` +
		`"ended_at":"2026-03-01T10:00:00.004Z","outcome":"goal","goal":"bought","value":7.5,"variants":null,"held_out":false}` + "\n"
	if got := string(files["chains.ndjson"]); got != want {
		t.Errorf("unexpected chains\n%s\nwant\n%s", got, want)
	}
	var summary struct {
		Campaigns []struct {
			Converted int
			Revenue   json.Number
			Goals     map[string]int
		}
	}
	if err := json.Unmarshal(files["summary.json"], &summary); err != nil {
		t.Fatal(err)
	}
	if s := summary.Campaigns[0]; s.Converted != 1 || s.Revenue != "7.5" || s.Goals["bought"] != 1 || s.Goals["seen"] != 1 {
		t.Errorf("unexpected summary %+v", s)
	}
}

// Conversions are told by variant: each chain says which way it took and whether it
// reached the goal. Of the customers every third buys, whatever they were shown.
func TestConversionsByVariant(t *testing.T) {
	// shows: 196
	const customers = 300
	var events []event.Event
	for i := range customers {
		events = append(events, track(fmt.Sprintf("c%d", i), fmt.Sprintf("m%d", i), "Go", "{}", start))
	}
	for i := 0; i < customers; i += 3 {
		events = append(events, track(fmt.Sprintf("c%d", i), fmt.Sprintf("b%d", i), "Bought", "{}", start+1000))
	}
	files := run(t, offer, events, 4)
	variants := map[string]string{} // customer -> the variant that was sent
	for line := range bytes.Lines(files["deliveries.ndjson"]) {
		var d struct{ Customer, Variant string }
		if err := json.Unmarshal(line, &d); err != nil {
			t.Fatal(err)
		}
		variants[d.Customer] = d.Variant
	}
	want, got := map[string]int{}, map[string]int{}
	for i := 0; i < customers; i += 3 {
		want[variants[fmt.Sprintf("c%d", i)]]++
	}
	for line := range bytes.Lines(files["chains.ndjson"]) {
		var c struct {
			Goal     string
			Variants map[string]string
		}
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		if c.Goal == "g" {
			got[c.Variants["x"]]++
		}
	}
	if len(want) != 3 || !maps.Equal(got, want) {
		t.Errorf("conversions by variant %v; want %v", got, want)
	}
}
