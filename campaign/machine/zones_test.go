package machine

import (
	"testing"

	"github.com/nudge-engine/nudge/campaign/customer"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/program"
)

// The customer's zone goes before the campaign's, that before the workspace's; a name
// that is no zone counts as missing.
func TestZone(t *testing.T) {
	for _, c := range []struct{ traits, campaign, workspace, want string }{
		{`{"timezone":"Europe/Kyiv"}`, "Asia/Tokyo", "Asia/Colombo", "Europe/Kyiv"},
		{`{"timezone":"Mars/North"}`, "Asia/Tokyo", "Asia/Colombo", "Asia/Tokyo"},
		{`{"timezone":7}`, "", "Asia/Colombo", "Asia/Colombo"},
		{"", "", "", "UTC"},
	} {
		m := New()
		m.set.Zone = c.workspace
		customer := customer.New("w", "ann", 0, 1)
		customer.Traits = []byte(c.traits)
		m.begin(customer, 0, new(output.Output))
		if got := m.zones.zone(&program.Program{Zone: c.campaign}).String(); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
