package shard

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/nudge-engine/nudge/actors/shard/control"
	"github.com/nudge-engine/nudge/campaign/parse"
)

// TestDryRun tells what a dry run says: testdata/dry_run/*.txt. Commands are those of
// TestScripts, and
//
//	dry-run  the input is definitions; what applying them would do
func TestDryRun(t *testing.T) {
	datadriven.Walk(t, "testdata/dry_run", func(t *testing.T, path string) {
		t.Helper()
		w := newScriptWorld(t)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			t.Helper()
			w.out.Reset()
			switch d.Cmd {
			case "apply":
				w.apply(t, d.Input)
			case "at":
				w.clock = instant(t, d.CmdArgs[0].Key)
			case "advance":
				w.advance(t, d.CmdArgs[0].Key)
			case "frame":
				w.frame(t, d.Input)
			case "dry-run":
				w.dryRun(t, d.Input)
			default:
				t.Fatalf("%s: unknown command %q", d.Pos, d.Cmd)
			}
			return w.out.String()
		})
	})
}

// dryRun asks all customers, as they are in memory or in the store.
func (w *scriptWorld) dryRun(t *testing.T, text string) {
	t.Helper()
	docs, err := parse.File(w.lang, "input", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	a := &control.Apply{Workspace: "default"}
	for _, d := range docs {
		d.Document.Version = uint32(w.ctl + 1)
		a.Documents = append(a.Documents, d.Document)
	}
	s, err := NewDryRun(w.compile, w.shard.defs.encode(), a, w.shard.applied.Seq+1, 2, w.shard.now)
	if err != nil {
		t.Fatal(err)
	}
	before := w.shard.InMemory("default")
	slices.Sort(before)
	for _, id := range before {
		if err := s.Customer(w.shard.customers.get(Key("default", id)).c.AppendTo(nil)); err != nil {
			t.Fatal(err)
		}
	}
	p := s.Preview()
	fmt.Fprintf(&w.out, "%d customers, history of %d in the log\n", p.Customers, p.Reached)
	for _, c := range p.Campaigns {
		fmt.Fprintf(&w.out, "%s %s\n", c.Campaign, c.InFlight)
		for _, s := range c.Steps {
			fmt.Fprintf(&w.out, "  %s: %d: %s; at once %d\n", s.Step, s.Chains, inOrder(s.Fates), s.AtOnce)
		}
		if c.Existing || c.Enter > 0 {
			fmt.Fprintf(&w.out, "  existing: %d enter; refused %s\n", c.Enter, inOrder(c.Refused))
		}
	}
	for _, c := range p.Counters {
		fmt.Fprintf(&w.out, "counter %s counted=%v fires=%v\n", c.Text, c.Counted, c.Fires)
	}
}

func inOrder[K ~string](m map[K]int) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%d %s", m[name], name))
	}
	return strings.Join(parts, ", ")
}
