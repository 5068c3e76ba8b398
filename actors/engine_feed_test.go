package actors_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nudge-engine/nudge/campaign/program"
)

// TestManyCampaignsAreAppliedAtOnce: ten megabytes of definitions are more control
// records than may wait in a partition at one time; all of them arrive.
func TestManyCampaignsAreAppliedAtOnce(t *testing.T) {
	d := newDeployment(t, 0)
	d.start(t)
	defer d.stop()
	padding := strings.Repeat("# "+strings.Repeat("a long comment ", 8)+"\n", 80)
	var docs []program.Document
	for i := range 1000 {
		name := fmt.Sprintf("c%04d", i)
		docs = append(docs, program.Document{
			Kind: program.KindCampaign, Name: name,
			Source: fmt.Sprintf("apiVersion: nudge/v1\nkind: Campaign\nmetadata: {name: %s}\nspec:\n"+
				"  trigger: {event: {name: Order, where: 'event.properties.n == %d'}}\n  steps: [{id: s, exit: {}}]\n%s",
				name, i, padding),
		})
	}
	applied, err := d.control.Apply(t.Context(), "w", docs)
	if err != nil || len(applied) != len(docs) {
		t.Fatalf("%d of %d, %v", len(applied), len(docs), err)
	}
	if got := len(d.control.DocumentsOf("w", program.KindCampaign)); got != len(docs) {
		t.Errorf("%d campaigns in force; want %d", got, len(docs))
	}
	if one, ok := d.control.Document("w", program.KindCampaign, "c0999"); !ok || one.Version != 1 {
		t.Errorf("the last is not in force: %+v", one)
	}
	if _, ok := d.control.Document("w", program.KindCampaign, "none"); ok {
		t.Error("a campaign that there is not")
	}
}
