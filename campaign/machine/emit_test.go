package machine

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/expr"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
)

// programs compiles definitions into a set.
func programs(t *testing.T, text string) *active.Set {
	t.Helper()
	lang, err := expr.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	docs, err := parse.File(lang, "f.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var all []*program.Program
	for _, d := range docs {
		d.Campaign.Workspace, d.Campaign.Version = "w", 1
		all = append(all, d.Campaign)
	}
	return active.NewSet(all, map[string]uint64{}, 1)
}

// Events that lead to events are bounded in depth, and in number where each leads to
// several.
func TestEmitIsBounded(t *testing.T) {
	var text strings.Builder
	for i := range 3 {
		fmt.Fprintf(&text, "---\napiVersion: nudge/v1\nkind: Campaign\nmetadata: {name: c%d}\nspec:\n"+
			"  trigger: {event: {name: Ping}}\n  steps: [{id: a, emit: {event: Ping}}]\n", i)
	}
	run := func() (*output.Output, *customer.Customer) {
		m := New()
		m.Use(programs(t, text.String()))
		c, out := customer.New("w", "ann", 0, 1), new(output.Output)
		m.Apply(
			c,
			&event.Event{Workspace: "w", Customer: "ann", ID: "m1", Type: event.Track, Name: "Ping", Time: 5},
			5,
			true,
			out,
		)
		return out, c
	}
	out, c := run()
	count := map[string]int{}
	for _, d := range out.Decisions {
		count[string(d.Kind)+" "+string(d.Reason)]++
	}
	// 3 + 9 + 27 + 81 = 120 records of depths one to four, the rest up to the limit at
	// depth five; nothing else is made.
	if count["emitted "] != maxEmittedEvents || count["dropped too_many_emitted"] == 0 ||
		count["dropped emit_depth"] != 0 {
		t.Errorf("unexpected decisions %v", count)
	}
	again, other := run()
	if fmt.Sprint(again.Decisions) != fmt.Sprint(out.Decisions) ||
		string(c.AppendTo(nil)) != string(other.AppendTo(nil)) {
		t.Error("the same record leads to something else")
	}
	ids := map[string]bool{}
	for _, d := range out.Decisions {
		if d.Kind == output.Entered && d.Campaign == "c0" && ids[d.EventID] {
			t.Fatalf("event id %s twice", d.EventID)
		}
		ids[d.EventID] = ids[d.EventID] || d.Kind == output.Entered && d.Campaign == "c0"
	}
}
