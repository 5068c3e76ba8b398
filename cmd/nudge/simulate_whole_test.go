package main

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// Most of the language over one shop's calls: all four outputs are as they were when
// they were checked by hand, with any number of partitions. REWRITE=1 writes them anew.
func TestSimulateWhole(t *testing.T) { goldenRun(t, "testdata/whole", "2026-04-01T00:00:00Z") }

// Experiments that are decided while the calls come in: one as soon as a look says so,
// one at its deadline. The calls behind take the winner.
func TestSimulateWinner(t *testing.T) { goldenRun(t, "testdata/winner", "2026-03-02T00:00:00Z") }

// goldenRun simulates dir's calls with several numbers of partitions.
func goldenRun(t *testing.T, dir, until string) {
	t.Helper()
	for _, partitions := range []int{1, 4, 16} {
		out := t.TempDir()
		code, _, errs := runTool(t, "simulate", "--campaigns", dir+"/campaigns.yaml", "--events", dir+"/events.ndjson",
			"--until", until, "--out", out, "--partitions", strconv.Itoa(partitions))
		if code != 0 {
			t.Fatalf("exit %d: %s", code, errs)
		}
		for _, name := range []string{"deliveries.ndjson", "chains.ndjson", "decisions.ndjson", "summary.json"} {
			got, err := os.ReadFile(filepath.Join(out, name))
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join(dir, "golden", name)
			if os.Getenv("REWRITE") != "" && partitions == 1 {
				if err := os.WriteFile(golden, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != string(want) {
				t.Errorf("%d partitions: %s is\n%s\nwant\n%s", partitions, name, got, want)
			}
		}
	}
}
