package main

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// Anonymous customers become known ones: the chain goes on under the known id, a purchase
// under either id stops it, counts add up. Whether both are in one partition or not does
// not show. REWRITE=1 writes the outputs anew.
func TestSimulateMerge(t *testing.T) {
	const dir = "testdata/merge"
	for _, partitions := range []int{1, 4, 16} {
		out := t.TempDir()
		code, _, errs := runTool(t, "simulate", "--campaigns", dir+"/campaigns.yaml", "--events", dir+"/events.ndjson",
			"--out", out, "--partitions", strconv.Itoa(partitions))
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
