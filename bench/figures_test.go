package bench

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is written is read again; worse is what changed by more than the noise in the
// direction that is worse for the figure.
func TestCompare(t *testing.T) {
	dir := t.TempDir()
	earlier := &All{Reports: map[string]Report{
		"throughput": &Throughput{EventsPerSecond: 100, LimitPerSecond: 200, AcceptedPerSecond: 100, CPU: CPU{Nudged: 10}},
		"latency":    &Latency{P50: 10, P99: 100},
	}}
	earlier.Sum()
	path := filepath.Join(dir, "earlier.json")
	if err := WriteJSON(path, earlier); err != nil {
		t.Fatal(err)
	}
	figures, err := ReadFigures(path)
	if err != nil {
		t.Fatal(err)
	}
	now := &All{Reports: map[string]Report{
		"throughput": &Throughput{EventsPerSecond: 85, LimitPerSecond: 170, AcceptedPerSecond: 95, CPU: CPU{Nudged: 8}},
		"latency":    &Latency{P50: 10.5, P99: 150, Limit: Answers{P50: 5.25, P99: 15}},
	}}
	now.Sum()
	var worse []string
	for _, r := range now.rows(figures) {
		if r.Worse {
			worse = append(worse, r.Name+" "+r.Change)
		}
		half := r.Name == "events readable" || r.Name == "accept to hand-off, p50" // less of this one is better
		if half && r.Share != "0.50" {
			t.Errorf("%s: share %q; want 0.50", r.Name, r.Share)
		}
	}
	if got := strings.Join(worse, ", "); got != "events readable -15 %, rows written -15 %, accept to hand-off, p99 +50 %" {
		t.Errorf("worse are %s", got)
	}
	page := filepath.Join(dir, "page.html")
	if err := now.WriteHTML(page, figures); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(page) //nolint:gosec // written above
	if err != nil || !strings.Contains(string(text), "accept to hand-off, p99") {
		t.Errorf("the page has no figures: %v", err)
	}
}

func TestReadFiguresExplains(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.json")
	for text, want := range map[string]string{"{}": "no figures", "{": "JSON"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadFigures(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: unexpected %v; want %q", text, err, want)
		}
	}
	if _, err := ReadFigures(path + ".none"); err == nil || !strings.Contains(err.Error(), "--compare") {
		t.Errorf("unexpected %v", err)
	}
}

// The rounds bring in at least as many customers as asked for, each once.
func TestCartsBringInEachOnce(t *testing.T) {
	o := Options{Batch: 10, Connections: 3}
	seen := map[string]bool{}
	for connection := range o.Connections {
		c := &carts{connection: connection, connections: o.Connections}
		for range o.rounds(95) {
			body, deliveries := c.Batch(nil, o.Batch, testTime())
			if deliveries != o.Batch {
				t.Errorf("%d deliveries; want %d", deliveries, o.Batch)
			}
			for _, part := range strings.Split(string(body), `"userId":"`)[1:] {
				id, _, _ := strings.Cut(part, `"`)
				if seen[id] {
					t.Errorf("%s comes twice", id)
				}
				seen[id] = true
			}
		}
	}
	if len(seen) != 120 || !seen[customerID(0)] || !seen[customerID(94)] {
		t.Errorf("%d customers; want 120", len(seen))
	}
}
