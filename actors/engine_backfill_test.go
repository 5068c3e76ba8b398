package actors_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/nudge-engine/nudge/actors"
	"github.com/nudge-engine/nudge/actors/shard/view"
	"github.com/nudge-engine/nudge/campaign/parse"
	"github.com/nudge-engine/nudge/campaign/program"
)

func (d *deployment) parse(t *testing.T, text string) []program.Document {
	t.Helper()
	docs, err := parse.File(d.lang, "f", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var all []program.Document
	for _, doc := range docs {
		all = append(all, doc.Document)
	}
	return all
}

const backfillCampaign = `apiVersion: nudge/v1
kind: Campaign
metadata: {name: third}
spec:
  trigger: {count: {event: E, reaches: 3}}
  steps: [{id: rest, delay: 30d}]
`

// entered says whether a customer is in the campaign.
func entered(want bool) func(*view.Customer) error {
	return func(v *view.Customer) error {
		if (len(v.Chains) == 1) != want {
			return fmt.Errorf("%d chains; want %v", len(v.Chains), want)
		}
		return nil
	}
}

// The third event fires for a customer whose first two lie before the campaign. A restart
// in the middle changes nothing.
func TestBackfill(t *testing.T) {
	const customers = 30
	d := newDeployment(t, 1)
	d.start(t)
	d.send(t, 1, customers)
	d.send(t, 2, customers)
	d.waitApplied(t)
	begun, err := d.control.StartBackfill(t.Context(), "default", d.parse(t, backfillCampaign))
	if err != nil || begun.Record == 0 || len(begun.Filled) != 1 || begun.Filled[0] != "E" || len(begun.FromNow) != 0 {
		t.Fatalf("unexpected start %+v, error %v", begun, err)
	}
	if _, err := d.control.StartBackfill(t.Context(), "default", nil); !errors.Is(err, actors.ErrBackfill) {
		t.Errorf("a second backfill: %v; want ErrBackfill", err)
	}
	if _, err := d.control.Apply(t.Context(), "default", d.parse(t, backfillCampaign)); !errors.Is(err, actors.ErrBackfill) {
		t.Errorf("the campaign is applied while it waits: %v; want ErrBackfill", err)
	}
	broken, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.control.RunBackfill(broken); err == nil {
		t.Error("a run that is cut off says that it is done")
	}
	d.stop()
	d.start(t)
	if !d.control.Backfilling() {
		t.Fatal("after the restart nothing is known of the backfill")
	}
	if p, err := d.control.Backfill(t.Context()); err != nil || !p.Open || p.Record != begun.Record || len(p.Partitions) != 3 {
		t.Errorf("unexpected progress %+v, error %v", p, err)
	}
	if err := d.control.RunBackfill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p, err := d.control.Backfill(t.Context()); err != nil || p.Open || p.GivenUp {
		t.Errorf("unexpected progress %+v, error %v", p, err)
	}
	for c := range customers {
		d.view(t, fmt.Sprintf("c%d", c), entered(false))
	}
	d.send(t, 3, customers)
	for c := range customers {
		d.view(t, fmt.Sprintf("c%d", c), entered(true))
	}
	d.stop()
}

// A log that was trimmed knows the history only of those who came after: the others are
// refused.
func TestBackfillOfATrimmedLog(t *testing.T) {
	const old, all = 10, 20
	d := newDeployment(t, 0)
	d.start(t)
	d.send(t, 1, old)
	d.waitApplied(t)
	ends := d.ends(t)
	d.send(t, 2, all)
	d.waitApplied(t)
	for p, s := range d.events {
		if err := s.Trim(t.Context(), ends[p]); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.control.StartBackfill(t.Context(), "default", d.parse(t, backfillCampaign)); err != nil {
		t.Fatal(err)
	}
	if err := d.control.RunBackfill(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.send(t, 3, all)
	d.send(t, 4, all)
	for c := range all {
		d.view(t, fmt.Sprintf("c%d", c), entered(c >= old))
	}
	d.stop()
}

// What the log cannot tell counts from now on, and is named.
func TestBackfillNamesWhatItCannotFill(t *testing.T) {
	d := newDeployment(t, 0)
	d.start(t)
	defer d.stop()
	begun, err := d.control.StartBackfill(t.Context(), "default", d.parse(t, `apiVersion: nudge/v1
kind: Campaign
metadata: {name: maker}
spec:
  trigger: {event: {name: Go}}
  steps: [{id: e, emit: {event: Made}}]
---
apiVersion: nudge/v1
kind: Campaign
metadata: {name: gold}
spec:
  trigger: {count: {event: E, where: customer.traits.level == "gold", reaches: 3}}
  audience: customer.count("Made") < 3
  steps: [{id: rest, delay: 30d}]
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []actors.NotFilled{
		{
			Text: `E where customer.traits.level == "gold"`,
			Why:  "the condition looks at more than the event, and the log does not say what that was",
		},
		{Text: "Made", Why: "campaign maker emits the event, and what is emitted is not in the log"},
	}
	if begun.Record != 0 || len(begun.FromNow) != 2 || begun.FromNow[0] != want[0] || begun.FromNow[1] != want[1] {
		t.Errorf("unexpected start %+v; want nothing to fill and %+v", begun, want)
	}
	if len(d.control.Documents("default")) != 2 {
		t.Error("with nothing to fill the campaigns are not in force")
	}
}

// A log that was trimmed under a backfill ends it: nothing is in force, and it can be
// applied again.
func TestBackfillOfALostLog(t *testing.T) {
	d := newDeployment(t, 0)
	d.start(t)
	defer d.stop()
	d.send(t, 1, 10)
	d.waitApplied(t)
	if _, err := d.control.StartBackfill(t.Context(), "default", d.parse(t, backfillCampaign)); err != nil {
		t.Fatal(err)
	}
	d.waitApplied(t)
	for p, end := range d.ends(t)[:partitions] {
		if err := d.events[p].Trim(t.Context(), end); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.control.RunBackfill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p, err := d.control.Backfill(t.Context()); err != nil || p.Open || !p.GivenUp {
		t.Errorf("unexpected progress %+v, error %v; want one that is given up", p, err)
	}
	if docs := d.control.Documents("default"); len(docs) != 0 {
		t.Errorf("in force is %+v; want nothing", docs)
	}
	if a, err := d.control.Apply(t.Context(), "default", d.parse(t, backfillCampaign)); err != nil || a[0].Version != 1 {
		t.Errorf("applied %+v, error %v; want version 1", a, err)
	}
}
