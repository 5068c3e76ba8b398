package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/internal/definition"
)

const testCalls = 20_000

func testTime() time.Time { return time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC) }

func TestWorkloadIsDeterministic(t *testing.T) {
	w := Workload{Seed: 7, Customers: 1000, Campaigns: 10}
	a, n := NewGenerator(w, 3).Batch(nil, 500, testTime())
	b, m := NewGenerator(w, 3).Batch(nil, 500, testTime())
	if !bytes.Equal(a, b) || n != m {
		t.Fatalf("the same seed and connection make different batches: %d and %d bytes, %d and %d deliveries", len(a), len(b),
			n, m)
	}
	for name, g := range map[string]*Generator{
		"another connection": NewGenerator(w, 4),
		"another seed":       NewGenerator(Workload{Seed: 8, Customers: 1000, Campaigns: 10}, 3),
	} {
		if c, _ := g.Batch(nil, 500, testTime()); bytes.Equal(a, c) {
			t.Errorf("%s makes the same batch", name)
		}
	}
}

// call is a call as a client would read it.
type call struct {
	MessageID  string `json:"messageId"`
	Type       string `json:"type"`
	UserID     string `json:"userId"`
	Event      string `json:"event"`
	Properties struct {
		Score int `json:"score"`
	} `json:"properties"`
}

func generate(t *testing.T, w Workload) (calls []call, deliveries, size int) {
	t.Helper()
	body, deliveries := NewGenerator(w, 0).Batch(nil, testCalls, testTime())
	var batch struct {
		Batch []call `json:"batch"`
	}
	if err := json.Unmarshal(body, &batch); err != nil {
		t.Fatal(err)
	}
	if len(batch.Batch) != testCalls {
		t.Fatalf("%d calls; want %d", len(batch.Batch), testCalls)
	}
	return batch.Batch, deliveries, len(body) / testCalls
}

func TestWorkloadIsAShop(t *testing.T) {
	calls, deliveries, size := generate(t, Workload{Seed: 1, Customers: 100_000, Campaigns: 10})
	if size < 250 || size > 350 {
		t.Errorf("%d bytes a call; want about 300", size)
	}
	if share := 100 * float64(deliveries) / testCalls; math.Abs(share-deliveryPercent) > 0.5 {
		t.Errorf("%.2f %% of the calls cause a delivery; want about %d", share, deliveryPercent)
	}
	ids, customers, names := map[string]bool{}, map[string]int{}, map[string]int{}
	for _, c := range calls {
		ids[c.MessageID] = true
		customers[c.UserID]++
		names[c.Type+c.Event]++
	}
	if len(ids) != testCalls {
		t.Errorf("%d different message ids; want %d", len(ids), testCalls)
	}
	most := 0
	for _, n := range customers {
		most = max(most, n)
	}
	if most < 10 || most > testCalls/100 {
		t.Errorf("the busiest customer has %d of %d calls; want a few in a thousand", most, testCalls)
	}
	if len(names) != 4 {
		t.Errorf("kinds of calls: %v; want sign-up, browse, cart and purchase", names)
	}
}

// TestModelOfDeliveries compares the generator's count with the ranges that are
// written into the campaigns.
func TestModelOfDeliveries(t *testing.T) {
	for _, campaigns := range []int{1, 2, 3, 10, 1000} {
		calls, deliveries, _ := generate(t, Workload{Seed: 2, Customers: 1000, Campaigns: campaigns})
		m := newModel(campaigns)
		want := 0
		for _, c := range calls {
			matches := 0
			for i := range campaigns {
				name, low, high := m.scoreRange(i)
				if c.Type == "track" && c.Event == name && c.Properties.Score >= low && c.Properties.Score < high {
					matches++
				}
			}
			if matches > 1 {
				t.Fatalf("%d campaigns: %+v causes %d deliveries", campaigns, c, matches)
			}
			want += matches
		}
		if deliveries != want {
			t.Errorf("%d campaigns: the model says %d deliveries, the ranges say %d", campaigns, deliveries, want)
		}
		if share := 100 * float64(want) / testCalls; math.Abs(share-deliveryPercent) > 0.6 {
			t.Errorf("%d campaigns: %.2f %% deliveries; want about %d", campaigns, share, deliveryPercent)
		}
	}
}

func TestDefinitionsAreRight(t *testing.T) {
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{"", "http://127.0.0.1:1/"} {
		var files []definition.File
		texts := Workload{Campaigns: 1200}.Definitions(url)
		for i, text := range texts {
			files = append(files, definition.File{Name: fmt.Sprintf("bench-%d.yaml", i), Text: []byte(text)})
		}
		docs, err := definition.Parse(lang, files, definition.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if len(docs) != 1201 {
			t.Errorf("%d documents; want a channel and 1200 campaigns", len(docs))
		}
		if url != "" && !strings.Contains(texts[0], url) {
			t.Errorf("the address %s is not in the definitions", url)
		}
	}
}

func TestMessageIDs(t *testing.T) {
	connection, n, err := parseMessageID(string(appendMessageID(nil, 17, 123456)))
	if err != nil || connection != 17 || n != 123456 {
		t.Errorf("unexpected %d, %d, %v; want 17, 123456", connection, n, err)
	}
	if _, _, err := parseMessageID("other"); err == nil {
		t.Error("an id of somebody else is taken")
	}
}
