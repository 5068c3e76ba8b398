package actors_test

import (
	"testing"

	"github.com/nudge-engine/nudge/campaign/machine"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
)

// A dry run sees every customer of every partition, in memory or not, and writes nothing.
func TestPreviewSeesEverybody(t *testing.T) {
	for _, limit := range []int64{0, 1} {
		d := newDeployment(t, limit)
		d.start(t)
		docs, err := parse.File(
			d.lang,
			"f",
			[]byte("apiVersion: nudge/v1\nkind: Campaign\nmetadata: {name: a}\nspec:\n"+
				"  trigger: {event: {name: E}}\n  steps: [{id: rest, delay: 30d}]\n"),
		)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.control.Apply(t.Context(), "default", []program.Document{docs[0].Document}); err != nil {
			t.Fatal(err)
		}
		const customers = 1200 // more than a slice a partition holds
		d.send(t, 0, customers)
		d.waitApplied(t)
		ends := d.ends(t)
		next := docs[0].Document
		next.Source = "apiVersion: nudge/v1\nkind: Campaign\nmetadata: {name: a}\nspec:\n  in_flight: exit\n" +
			"  trigger: {event: {name: E}}\n  steps: [{id: rest, delay: 1d}]\n"
		applied, p, err := d.control.Preview(t.Context(), "default", []program.Document{next})
		if err != nil {
			t.Fatal(err)
		}
		if len(applied) != 1 || !applied[0].Changed || applied[0].Version != 2 {
			t.Errorf("limit %d: applied %+v; want version 2", limit, applied)
		}
		if p.Customers != customers || len(p.Campaigns) != 1 || len(p.Campaigns[0].Steps) != 1 {
			t.Fatalf("limit %d: unexpected preview %+v", limit, p)
		}
		if s := p.Campaigns[0].Steps[0]; s.Step != "rest" || s.Chains != customers ||
			s.Fates[machine.FateExits] != customers {
			t.Errorf("limit %d: unexpected step %+v; want all %d to exit", limit, s, customers)
		}
		for i, end := range d.ends(t) {
			if end != ends[i] {
				t.Errorf("limit %d: stream %d ends at %d after the dry run; before at %d", limit, i, end, ends[i])
			}
		}
		d.stop()
	}
}

// waitApplied waits until all that is in the log is applied.
func (d *deployment) waitApplied(t *testing.T) {
	t.Helper()
	for p, s := range d.events {
		info, err := s.Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for d.engine.Acked(p) < info.Last && t.Context().Err() == nil {
			<-d.engine.Changed(p)
		}
	}
}

// ends are where all streams end.
func (d *deployment) ends(t *testing.T) []uint64 {
	t.Helper()
	var ends []uint64
	for _, s := range append(append(d.events[:len(d.events):len(d.events)], d.effects...), d.open(t, "CTL")) {
		info, err := s.Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, info.Last)
	}
	return ends
}
