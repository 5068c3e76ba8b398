package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/bench"
)

// TestThroughputEndToEnd runs the real programs with a small load. It looks at
// whether all came out right, never at how fast.
func TestThroughputEndToEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: this starts real servers")
	}
	programs, dir := t.TempDir(), t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", programs, "../nudged", "../clickhoused", ".")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, text)
	}
	report := filepath.Join(dir, "report.json")
	data := filepath.Join(dir, "data")
	command := exec.CommandContext(t.Context(), filepath.Join(programs, "nudge-bench"), "throughput", "--batch", "20",
		"--connections", "3", "--duration", "2s", "--customers", "500", "--campaigns", "4", "--webhook", "--dir", data,
		"--json", report)
	command.Env = append(os.Environ(), "NUDGE_PARTITIONS=3") // a setting of another server does not reach ours
	if text, err := command.CombinedOutput(); err != nil {
		t.Fatalf("nudge-bench: %v\n%s", err, text)
	}
	text, err := os.ReadFile(report) //nolint:gosec // written above
	if err != nil {
		t.Fatal(err)
	}
	var r bench.Throughput
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	if !r.Correct || r.Events == 0 || r.ExpectedDeliveries == 0 || r.EventsPerSecond <= 0 || r.LimitPerSecond <= 0 ||
		r.Ledger.Rows != r.Events {
		t.Errorf("unexpected report: %s", text)
	}
	if left, err := os.ReadDir(data); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestScenariosEndToEnd runs the other scenarios with real programs and small loads.
func TestScenariosEndToEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: this starts real servers")
	}
	programs, data := t.TempDir(), filepath.Join(t.TempDir(), "data")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", programs, "../nudged", "../clickhoused", ".")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, text)
	}
	for _, args := range [][]string{
		{"recovery", "--customers", "2000"},
		{"timers", "--count", "2000", "--delay", "1s"},
		{"outage", "--duration", "1s", "--away", "1s", "--connections", "4"},
		{"soak", "--duration", "4s", "--rate", "500"},
	} {
		report := filepath.Join(t.TempDir(), "report.json")
		command := exec.CommandContext(t.Context(), filepath.Join(programs, "nudge-bench"),
			append(args, "--quiet", "--dir", data, "--json", report)...)
		if text, err := command.CombinedOutput(); err != nil {
			t.Fatalf("nudge-bench %v: %v\n%s", args, err, text)
		}
		text, err := os.ReadFile(report) //nolint:gosec // written above
		if err != nil {
			t.Fatal(err)
		}
		var r struct {
			Scenario string
			Correct  bool
		}
		if err := json.Unmarshal(text, &r); err != nil || !r.Correct || r.Scenario != args[0] {
			t.Errorf("%v: unexpected %v, %s", args, err, text)
		}
	}
	if left, err := os.ReadDir(data); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestCampaignsEndToEnd runs a server each with few and with more campaigns.
func TestCampaignsEndToEnd(t *testing.T) {
	// shows: 200
	if testing.Short() {
		t.Skip("-short: this starts real servers")
	}
	programs, dir := t.TempDir(), t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", programs, "../nudged", "../clickhoused", ".")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, text)
	}
	report, data := filepath.Join(dir, "report.json"), filepath.Join(dir, "data")
	command := exec.CommandContext(t.Context(), filepath.Join(programs, "nudge-bench"), "campaigns", "--counts", "3,900",
		"--batch", "20", "--connections", "3", "--duration", "1s", "--customers", "500", "--dir", data, "--json", report)
	if text, err := command.CombinedOutput(); err != nil {
		t.Fatalf("nudge-bench: %v\n%s", err, text)
	}
	text, err := os.ReadFile(report) //nolint:gosec // written above
	if err != nil {
		t.Fatal(err)
	}
	var r bench.Campaigns
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	if !r.Correct || r.Scenario != "campaigns" || len(r.Counts) != 2 || len(r.EventsPerSecond) != 2 || r.CostRatio <= 0 ||
		r.BytesPerCampaign <= 0 || len(r.Runs) != 2 || r.Runs[1].ExpectedDeliveries == 0 || r.Runs[1].Campaigns != 900 {
		t.Errorf("unexpected report: %s", text)
	}
}

func TestHelpTeaches(t *testing.T) {
	for _, args := range [][]string{
		{"--help"},
		{"throughput", "--help"},
		{"latency", "--help"},
		{"customers", "--help"},
		{"recovery", "--help"},
		{"timers", "--help"},
		{"outage", "--help"},
		{"soak", "--help"},
		{"growth", "--help"},
		{"limits", "--help"},
		{"peers", "--help"},
		{"all", "--help"},
		{"campaigns", "--help"},
	} {
		var out, errs bytes.Buffer
		if code := run(args, console{&out, &errs}); code != 0 || !strings.Contains(out.String(), "nudge-bench") {
			t.Errorf("%v: status %d, %q, %q", args, code, out.String(), errs.String())
		}
	}
}

func TestWrongFlagsAreExplained(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"throughput", "--programs", t.TempDir()}, "make build"},
		{[]string{"customers", "--count", "0"}, "--count 0: must be"},
		{[]string{"growth", "--campaigns", "7"}, "--campaigns 7: must be"},
		{[]string{"growth", "--customers", "7"}, "--customers 7: must be"},
		{[]string{"peers", "--peer", "nobody"}, "--peer"},
		{[]string{"nothing"}, "--help"},
	} {
		var out, errs bytes.Buffer
		if code := run(c.args, console{&out, &errs}); code == 0 || !strings.Contains(errs.String(), c.want) {
			t.Errorf("%v: status %d, %q; want %q", c.args, code, errs.String(), c.want)
		}
	}
}
