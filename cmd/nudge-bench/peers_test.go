package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/bench"
)

// TestPeersEndToEnd runs nudge and the peer with a small load. It looks at whether both
// did what the model says, never at how fast.
func TestPeersEndToEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: this starts real servers")
	}
	const source = "../../bench/peers/river"
	if _, err := (bench.PeerConfig{Source: source}).Ready(); err != nil {
		t.Skip("no peer here:", err)
	}
	programs, dir := t.TempDir(), t.TempDir()
	// When root runs this, PostgreSQL is another user, who must pass the way there.
	if err := os.Chmod(filepath.Dir(dir), 0o711); err != nil { //nolint:gosec // it may be passed, not listed
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", programs, "../nudged", "../clickhoused", ".")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, text)
	}
	for _, more := range [][]string{nil, {"--plain"}} {
		report, data := filepath.Join(dir, "report.json"), filepath.Join(dir, "data")
		command := exec.CommandContext(t.Context(), filepath.Join(programs, "nudge-bench"), append([]string{
			"peers", "--batch", "20", "--connections", "3", "--duration", "1s", "--customers", "300",
			"--source", source, "--dir", data, "--json", report, "--quiet",
		}, more...)...)
		text, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("nudge-bench %v: %v\n%s", more, err, text)
		}
		if !strings.Contains(string(text), "ratio") {
			t.Errorf("%v: no ratio is printed:\n%s", more, text)
		}
		checkPeers(t, report)
		if left, err := os.ReadDir(data); err != nil || len(left) != 0 {
			t.Errorf("%v: left behind: %v, %v", more, left, err)
		}
	}
}

func checkPeers(t *testing.T, report string) {
	t.Helper()
	text, err := os.ReadFile(report) //nolint:gosec // written by the test
	if err != nil {
		t.Fatal(err)
	}
	var r bench.Peers
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	for _, s := range []bench.Side{r.NudgeSide, r.PeerSide} {
		if s.Model.Waiting == 0 || s.Model.Cancelled == 0 || s.Events == 0 {
			t.Errorf("the load is no test: %s", text)
		}
	}
	if !r.Correct || r.Scenario != "peers" || r.Peer != bench.PeerRiver || r.Nudge <= 0 || r.PeerRate <= 0 || r.Ratio <= 0 {
		t.Errorf("unexpected report: %s", text)
	}
}

// All has the peers in the repository, where PostgreSQL is, and says why not elsewhere.
func TestAllHasPeersWhereTheyAre(t *testing.T) {
	has := func() bool {
		scenarios, leftOut := (&allCommand{}).scenarios(bench.Options{})
		last := scenarios[len(scenarios)-1].name
		if (last == "peers") == (leftOut != nil) {
			t.Errorf("the last scenario is %s, and left out is %v", last, leftOut)
		}
		return leftOut == nil
	}
	if has() { // the command's own directory has no bench/peers/river
		t.Error("a peer without its source")
	}
	t.Chdir("../..")
	if _, err := (bench.PeerConfig{Source: riverSource}).Ready(); err == nil && !has() {
		t.Error("no peer in the repository")
	}
}
