package machine

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
)

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
		m.Use(compileSet(t, text.String()))
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
