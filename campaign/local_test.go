package campaign

import "testing"

// The customer's zone goes before the campaign's, that before the workspace's; a name
// that is no zone counts as missing.
func TestZone(t *testing.T) {
	for _, c := range []struct{ traits, campaign, workspace, want string }{
		{`{"timezone":"Europe/Kyiv"}`, "Asia/Tokyo", "Asia/Colombo", "Europe/Kyiv"},
		{`{"timezone":"Mars/North"}`, "Asia/Tokyo", "Asia/Colombo", "Asia/Tokyo"},
		{`{"timezone":7}`, "", "Asia/Colombo", "Asia/Colombo"},
		{"", "", "", "UTC"},
	} {
		m := NewMachine()
		m.set.Zone = c.workspace
		customer := NewCustomer("w", "ann", 0, 1)
		customer.Traits = []byte(c.traits)
		m.begin(customer, 0, new(Output))
		if got := m.zone(&Program{Zone: c.campaign}).String(); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
