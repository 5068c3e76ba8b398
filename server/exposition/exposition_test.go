package exposition_test

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/nudge-engine/nudge/server/exposition"
)

func TestExposition(t *testing.T) {
	set := metrics.NewSet()
	set.GetOrCreateCounter(`nudge_ingest_events_total{result="accepted"}`).Add(3)
	set.NewGauge(`nudge_partition_halted{partition="0"}`, func() float64 { return 0 })
	h := set.GetOrCreateHistogram("nudge_ingest_request_seconds")
	for _, d := range []time.Duration{50 * time.Microsecond, 900 * time.Microsecond, 40 * time.Millisecond, 20 * time.Second} {
		h.Update(d.Seconds())
	}
	var out bytes.Buffer
	if err := exposition.Write(&out, set); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"# TYPE nudge_ingest_events_total counter\nnudge_ingest_events_total{result=\"accepted\"} 3\n",
		"nudge_ingest_request_seconds_bucket{le=\"0.0001\"} 1\n", "nudge_ingest_request_seconds_bucket{le=\"0.001\"} 2\n",
		"nudge_ingest_request_seconds_bucket{le=\"0.02154\"} 2\n", "nudge_ingest_request_seconds_bucket{le=\"10\"} 3\n",
		"nudge_ingest_request_seconds_bucket{le=\"+Inf\"} 4\n", "nudge_ingest_request_seconds_count 4\n",
		"# TYPE process_cpu_seconds_total counter\n", "# TYPE go_goroutines gauge\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
	if promtool, err := exec.LookPath("promtool"); err == nil {
		check := exec.Command(promtool, "check", "metrics")
		check.Stdin = &out
		if text, err := check.CombinedOutput(); err != nil || len(text) > 0 {
			t.Errorf("promtool: %v\n%s", err, text)
		}
	}
}

// Names follow Prometheus' rules, so that its tools need no telling.
func TestMetricNames(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range exposition.Families() {
		if (m.Type == "counter") != strings.HasSuffix(m.Name, "_total") {
			t.Errorf("%s is a %s: counters, and they alone, end in _total", m.Name, m.Type)
		}
		if m.Type != "counter" && m.Type != "gauge" && m.Type != "histogram" {
			t.Errorf("%s is a %q", m.Name, m.Type)
		}
		if m.Help == "" || !strings.HasSuffix(m.Help, ".") || seen[m.Name] {
			t.Errorf("%s has no help, or is there twice", m.Name)
		}
		for _, unit := range []string{"milliseconds", "_ms", "minutes", "kilobytes", "_mb"} {
			if strings.Contains(m.Name, unit) {
				t.Errorf("%s is not in seconds or bytes", m.Name)
			}
		}
		seen[m.Name] = true
	}
}

// The rules for alerts ask for metrics that there are.
func TestAlertRules(t *testing.T) {
	const file = "../../deploy/alerts.yaml"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, m := range exposition.Families() {
		known[m.Name] = true
	}
	asked := 0
	for line := range strings.Lines(string(text)) {
		if _, expr, is := strings.Cut(line, "expr:"); is {
			for _, name := range regexp.MustCompile(`\b(?:nudge|process|go)_[a-z_]+`).FindAllString(expr, -1) {
				asked++
				if !known[name] {
					t.Errorf("a rule asks for %s, which there is not", name)
				}
			}
		}
	}
	if asked < 8 {
		t.Errorf("only %d metrics are asked for", asked)
	}
	if promtool, err := exec.LookPath("promtool"); err == nil {
		if out, err := exec.Command(promtool, "check", "rules", file).CombinedOutput(); err != nil {
			t.Errorf("promtool: %v\n%s", err, out)
		}
	}
}
