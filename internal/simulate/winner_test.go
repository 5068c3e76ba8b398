package simulate_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/program"
	"github.com/nudge-engine/nudge/campaign/unit"
)

// trialText is a campaign with an experiment of two ways that differ in nothing else.
const trialText = `
apiVersion: nudge/v1
kind: Campaign
metadata: {name: %s}
spec:
  trigger: {event: {name: Go}}
  goals: [{id: g, event: Bought, window: 2h, stop: false}]
  steps:
    - {id: x, experiment: {variants: [{id: a}, {id: b}], winner: {min_per_variant: 50, min_time: 6h}}}
    - {id: rest, delay: 3h}
---`

// history is calls of customers who come over two days; converts says with which
// probability a customer buys within the window.
func history(random *rand.Rand, customers int, converts func(customer string) float64) (events []event.Event) {
	const step = 48 * unit.HourMillis
	for i := range customers {
		id := fmt.Sprintf("c%d-%d", random.Uint32(), i)
		at := start + int64(i)*step/int64(customers)
		events = append(events, track(id, id+"/go", "Go", "{}", at))
		if random.Float64() < converts(id) {
			events = append(events, track(id, id+"/bought", "Bought", "{}", at+1))
		}
	}
	return append(events, track("last", "last", "Nothing", "{}", start+step+6*unit.HourMillis))
}

// decisions are the rows of one kind.
func decisions(t *testing.T, files map[string][]byte, kind string) (rows []decisionRow) {
	t.Helper()
	for line := range bytes.Lines(files["decisions.ndjson"]) {
		var d decisionRow
		if err := json.Unmarshal(line, &d); err != nil {
			t.Fatal(err)
		}
		if d.Kind == kind {
			rows = append(rows, d)
		}
	}
	return rows
}

type decisionRow struct {
	At       string
	Campaign string
	Customer *string
	Step     string
	Kind     string
	Reason   string
	Detail   string
}

// Where the variants do not differ a winner is found in at most twice (1 - confidence)
// of the experiments: simulated histories, counted and decided as on a server.
func TestAAHistories(t *testing.T) {
	const seeds, campaigns = 14, 15
	var text strings.Builder
	for i := range campaigns {
		fmt.Fprintf(&text, trialText, fmt.Sprintf("c%d", i)) // each with its own salt
	}
	found := 0
	for seed := range seeds {
		random := rand.New(rand.NewPCG(uint64(seed), 11))
		events := history(random, 420, func(string) float64 { return 0.2 })
		found += len(decisions(t, run(t, text.String(), events, 1), "decided"))
	}
	t.Logf("a winner in %d of %d experiments", found, seeds*campaigns)
	if found == 0 || found > 2*seeds*campaigns*5/100 {
		t.Errorf("a winner in %d of %d experiments; want at most %d, and some", found, seeds*campaigns,
			2*seeds*campaigns*5/100)
	}
}

// A variant that is better is found; from then on every chain takes it. The number of
// partitions does not show.
func TestWinnerInAHistory(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	variant := func(customer string) string {
		if program.Bucket("offer/x", customer) < 5000 {
			return "a"
		}
		return "b"
	}
	text := fmt.Sprintf(trialText, "offer")
	events := history(random, 1000, func(id string) float64 {
		return map[string]float64{"a": 0.2, "b": 0.4}[variant(id)]
	})
	one := run(t, text, events, 1)
	for _, n := range []int{4, 16} {
		for name, got := range run(t, text, events, n) {
			if !bytes.Equal(got, one[name]) {
				t.Errorf("%s differs with %d partitions", name, n)
			}
		}
	}
	rows := decisions(t, one, "decided")
	if len(rows) != 1 || rows[0].Reason != "confidence" || rows[0].Customer != nil || rows[0].Step != "x" ||
		!strings.HasPrefix(rows[0].Detail, "b: a ") {
		t.Fatalf("unexpected decisions %+v", rows)
	}
	before := map[string]int{}
	for _, d := range decisions(t, one, "assigned") {
		want := variant(*d.Customer)
		if d.At >= rows[0].At {
			want = "b"
		} else {
			before[want]++
		}
		if d.Detail != want {
			t.Errorf("%s: %s has %s; want %s", d.At, *d.Customer, d.Detail, want)
		}
	}
	if before["a"] < 50 || before["b"] < 50 {
		t.Errorf("decided after %v", before)
	}
	t.Logf("%s: %s", rows[0].At, rows[0].Detail)
}

// Shares of the variants that chance does not give block a decision, also that of the
// deadline, and are said once.
func TestBlockedHistory(t *testing.T) {
	text := strings.Replace(fmt.Sprintf(trialText, "offer"), "min_time: 6h", "min_time: 6h, deadline: 24h", 1)
	random := rand.New(rand.NewPCG(8, 9))
	var events []event.Event
	for _, e := range history(random, 1500, func(string) float64 { return 0.2 }) {
		// Two of three who would have a never come.
		if program.Bucket("offer/x", e.Customer) >= 5000 || program.Bucket("other", e.Customer)%3 == 0 || e.Customer == "last" {
			events = append(events, e)
		}
	}
	files := run(t, text, events, 4)
	rows := decisions(t, files, "blocked")
	if len(rows) != 1 || rows[0].Reason != "sample_ratio" || rows[0].Step != "x" || rows[0].Customer != nil {
		t.Errorf("unexpected decisions %+v", rows)
	}
	if rows := decisions(t, files, "decided"); len(rows) != 0 {
		t.Errorf("it is decided: %+v", rows)
	}
}
