package machine

import (
	"testing"

	"github.com/nudge-engine/nudge/campaign/active"
	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
)

// A decided experiment gives its winner to chains that have no variant yet; a chain
// that goes back keeps its own, also when it is no longer what its bucket says.
func TestWinnerIsTaken(t *testing.T) {
	// shows: 197
	set := compileSet(t, `
apiVersion: nudge/v1
kind: Campaign
metadata: {name: x}
spec:
  trigger: {event: {name: Go}}
  reentry: {max_active: 5}
  steps:
    - {id: offer, experiment: {variants: [{id: a}, {id: b}]}, loop: {max: 1}}
    - {id: w, wait: {timeout: 1h, for: [{event: Again, goto: offer}]}}
`)
	m, c, out := New(), customer.New("w", "c1", 0, 1), new(output.Output) // c1: b
	m.Use(set)
	event := func(id, name string, at int64) {
		m.Apply(
			c,
			&event.Event{Workspace: "w", Customer: "c1", ID: id, Type: event.Track, Name: name, Time: at},
			at,
			at == 1,
			out,
		)
	}
	event("1", "Go", 1)
	set.Decide(
		[]active.Winner{{Campaign: "x", Step: "offer", Variant: "a"}, {Campaign: "x", Step: "other", Variant: "b"}},
	)
	event("2", "Go", 2)
	event("3", "Again", 3)
	if len(c.Chains) != 2 || c.Chains[0].Variant() != "b" || c.Chains[1].Variant() != "a" ||
		c.Chains[0].BackJumps != 1 {
		t.Errorf("unexpected chains %+v %+v", c.Chains[0], c.Chains[1])
	}
	set.Decide([]active.Winner{{Campaign: "x", Step: "offer", Variant: "gone"}})
	event("4", "Go", 4)
	if got := c.Chains[2].Variant(); got != "b" {
		t.Errorf("a winner that is gone gives %q; want b", got)
	}
}
