package customer

import (
	"errors"
	"reflect"
	"testing"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/wire"
)

// Every section of the policies survives, alone and with all others; a customer without
// one keeps its old form.
func TestPolicySections(t *testing.T) {
	fill := []func(c *Customer){
		func(c *Customer) { c.Chains[0].HeldOut = true },
		func(c *Customer) {
			c.Chains[1].Held = &Held{Planned: 5, Until: 9, Reason: output.ReasonCap, Open: []string{"email", "sms"}}
		},
		func(c *Customer) {
			c.Chains[1].Held = &Held{
				Planned: 5,
				Until:   9,
				Reason:  output.ReasonCap,
				Open:    []string{"email"},
				Sent:    true,
			}
		},
		func(c *Customer) {
			c.Consents = []Consent{
				{Subject: AboutCategory, Name: "marketing", Granted: true, At: 7, Source: "form"},
				{Subject: AboutDisturbance, At: 8},
			}
		},
		func(c *Customer) {
			c.CapUses = []CapUse{{Cap: "weekly", Uses: []Use{{At: 1, ID: output.ID{1}}, {At: 2, ID: output.ID{2}}}}}
		},
		func(c *Customer) { c.Holds = []DedupeLock{{Key: "k", Campaign: "cart", Entry: 3, Until: 99}} },
	}
	check := func(c *Customer) {
		t.Helper()
		b := c.AppendTo(nil)
		if b[0] != Format {
			t.Errorf("format %d; want %d", b[0], Format)
		}
		got, err := Decode(b, event.Names{})
		if err != nil || !reflect.DeepEqual(got, c) {
			t.Errorf("error %v\n got %+v\nwant %+v", err, got, c)
		}
		for n := range b {
			if _, err := Decode(b[:n], nil); !errors.Is(err, wire.ErrCorrupt) {
				t.Fatalf("prefix of %d bytes: unexpected error %v; want ErrCorrupt", n, err)
			}
		}
	}
	all := fullCustomer()
	for _, f := range fill {
		c := fullCustomer()
		f(c)
		check(c)
		f(all)
	}
	check(all)
	if b := fullCustomer().AppendTo(nil); b[0] != 1 {
		t.Errorf("a customer without sections has format %d; want 1", b[0])
	}
}
