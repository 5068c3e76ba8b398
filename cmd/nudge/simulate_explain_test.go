package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/internal/explain"
)

// A simulation that explains a customer writes the same files as one that does not,
// explains the same with any number of partitions, and the explanation agrees with the
// decisions: what refused is the last rule before the refusal.
func TestSimulateExplain(t *testing.T) {
	const dir = "testdata/whole"
	seen := map[string]int{}
	for _, customer := range []string{"ann", "bob", "cid"} {
		first := ""
		for _, partitions := range []string{"1", "4"} {
			out := t.TempDir()
			code, text, errs := runTool(t, "simulate", "--campaigns", dir+"/campaigns.yaml", "--events", dir+"/events.ndjson",
				"--until", "2026-04-01T00:00:00Z", "--out", out, "--partitions", partitions,
				"--explain", customer, "--explain-json")
			if code != 0 {
				t.Fatalf("exit %d: %s", code, errs)
			}
			if first == "" {
				first = text
			}
			if text != first {
				t.Errorf("%s: %s partitions explain\n%s\nand one\n%s", customer, partitions, text, first)
			}
			for _, name := range []string{"deliveries.ndjson", "chains.ndjson", "decisions.ndjson", "summary.json"} {
				got, err := os.ReadFile(filepath.Join(out, name))
				if err != nil {
					t.Fatal(err)
				}
				want, err := os.ReadFile(filepath.Join(dir, "golden", name))
				if err != nil {
					t.Fatal(err)
				}
				if string(got) != string(want) {
					t.Errorf("explaining %s changes %s", customer, name)
				}
			}
		}
		var x explain.Explanation
		if err := json.Unmarshal([]byte(first), &x); err != nil {
			t.Fatal(err)
		}
		for i := range x.Occasions {
			agree(t, &x.Occasions[i], seen)
		}
	}
	for _, kind := range []string{"refused", "entered", "sent", "deferred", "dropped", "ghost"} {
		if seen[kind] == 0 {
			t.Errorf("no customer had a decision %q; the test shows nothing about it", kind)
		}
	}
}

// agree holds the decisions of an occasion against the rules before them.
func agree(t *testing.T, o *explain.Occasion, seen map[string]int) {
	t.Helper()
	for i := range o.Asked {
		d := o.Asked[i].Decision
		if d == nil {
			continue
		}
		refused, matters := map[string]bool{
			"refused": true, "dropped": true, "deferred": true,
			"entered": false, "sent": false, "ghost": false,
		}[d.Kind]
		if !matters {
			continue
		}
		rule := -1
		for j := i - 1; j >= 0 && rule < 0; j-- {
			if r := &o.Asked[j]; r.Rule != "" && r.Rule != "holdout" && r.Campaign == d.Campaign &&
				(r.Step == d.Step || d.Step == "") {
				rule = j
			}
		}
		if rule < 0 || (o.Asked[rule].Answer == "no") != refused {
			t.Errorf("%s: %s of %s %s: the rule before it is %+v", o.At, d.Kind, d.Campaign, d.Reason, o.Asked[max(rule, 0)])
		}
		seen[d.Kind]++
	}
}

func TestSimulateExplainArguments(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"--explain-json", "need --explain"},
		{"--explain ann --against x", "cannot be used together"},
		{"--explain ann --explain-campaign x", "--explain-campaign x: there is no such campaign"},
		{"--explain ann --explain-campaign regualr", `there is no such campaign; did you mean "regular"?`},
	} {
		const dir = "testdata/whole"
		args := append([]string{
			"simulate", "--campaigns", dir + "/campaigns.yaml", "--events", dir + "/events.ndjson",
			"--until", "2026-03-02T00:00:00Z", "--out", t.TempDir(),
		}, strings.Fields(c.args)...)
		if code, _, errs := runTool(t, args...); code == 0 || !strings.Contains(errs, c.want) {
			t.Errorf("%s: exit %d: %s; want %q", c.args, code, errs, c.want)
		}
	}
}
