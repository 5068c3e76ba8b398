package customer

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/campaign/unit"
	"github.com/nudge-engine/nudge/internal/goldentest"
	"github.com/nudge-engine/nudge/internal/wire"
)

// fullCustomer has something in every field.
func fullCustomer() *Customer {
	trigger := event.Event{
		ID:         "m1",
		Type:       event.Track,
		Name:       "Cart Updated",
		Time:       1000,
		Properties: []byte(`{"cart_id":"A"}`),
	}
	return &Customer{
		Workspace: "default", ID: "ann", CreatedAt: 500, CreatedPlace: 7, Traits: []byte(`{"level":"gold"}`),
		Counters: []Counter{
			{
				ID:    "Order Completed",
				Count: 2,
				First: 100,
				Last:  900,
				Sums:  []Sum{{Property: "total", Total: 35_500_000}},
			},
		},
		Recorded: 3,
		Rings:    []Ring{{Name: "Order Completed", Events: []RecentEvent{{N: 3, Event: trigger.AppendBody(nil)}}}},
		Entries:  []Entry{{Campaign: "cart", Key: "A", Keyed: true, Number: 2, LastIn: 1000, LastOut: 2000}},
		Watches:  []InactivityTimer{{Campaign: "back", Due: 9000, Trigger: trigger.AppendBody(nil)}},
		Chains: []*Chain{
			{
				Campaign:  "cart",
				Version:   3,
				Entry:     2,
				Key:       "A",
				EnteredAt: 1000,
				Step:      "wait",
				Opened:    1100,
				Due:       8000,
				Wake:      8001,
				Restarts:  1,
				Trigger:   trigger.AppendBody(nil),
				LastSend:  1050,
				LastStep:  "toast",
				Outcome:   output.Active,
				Goals:     []GoalHit{{ID: "seen", Value: 1_000_000, HasValue: true}},
			},
			{
				Campaign:  "old",
				Version:   1,
				Entry:     1,
				EnteredAt: 10,
				Outcome:   output.ByGoal,
				EndedAt:   20,
				EndedBy:   "bought",
				Goals:     []GoalHit{{ID: "bought"}},
			},
		},
		Pending: []Pending{{RetryAt: 7000, Delivery: output.Delivery{
			ID: output.ID{
				1,
				2,
				3,
			},
			Workspace: "default",
			Campaign:  "cart",
			Version:   3,
			Customer:  "ann",
			Key:       "A",
			Entry:     2,
			Step:      "toast",
			Channel:   "email",
			Status:    output.HandedOff,
			TriggerID: "m1",
			At:        1050,
			Due:       1040,
			Expires:   99_000,
			Attempt:   1,
			Values:    []byte(`{"chain.key":"A"}`),
		}}},
	}
}

func TestCustomerCodec(t *testing.T) {
	c := fullCustomer()
	b := c.AppendTo(nil)
	goldentest.Bytes(t, "customer.v1", b)
	got, err := Decode(b, event.Names{})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, c) {
		t.Errorf("unexpected customer\n got %+v\nwant %+v", got, c)
	}
	if due, err := DecodeNextDue(b); err != nil || due != 7000 {
		t.Errorf("unexpected next due %d, error %v; want 7000", due, err)
	}
	for n := range b {
		if _, err := Decode(b[:n], nil); !errors.Is(err, wire.ErrCorrupt) {
			t.Fatalf("prefix of %d bytes: unexpected error %v; want ErrCorrupt", n, err)
		}
	}
}

// FuzzDecodeCustomer: no bytes make the decoder panic, and what it accepts is
// written back the same.
func FuzzDecodeCustomer(f *testing.F) {
	f.Add(fullCustomer().AppendTo(nil))
	f.Add(New("w", "c", 1, 1).AppendTo(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := Decode(b, event.Names{})
		if err != nil {
			return
		}
		again, err := Decode(c.AppendTo(nil), event.Names{})
		if err != nil || !reflect.DeepEqual(again, c) {
			t.Fatalf("%x decodes to what does not survive: %v", b, err)
		}
	})
}

func TestDateSection(t *testing.T) {
	c := fullCustomer()
	c.Dates = []DateWatch{
		{Campaign: "b", Offset: -7 * unit.DayMillis, Spec: 3, Due: 6000, Number: 2026, Fired: []int64{-1, 2025}},
	}
	b := c.AppendTo(nil)
	got, err := Decode(b, event.Names{})
	if err != nil || !reflect.DeepEqual(got, c) {
		t.Errorf("%+v, %v", got, err)
	}
	if due, err := DecodeNextDue(b); err != nil || due != 6000 {
		t.Errorf("next due %d, %v", due, err)
	}
	c.Quarantine(6000, 6000)
	if c.Dates[0].Due != 0 {
		t.Error("a quarantined date is still due")
	}
}

// restored is the customer as a restart would find it.
func restored(t *testing.T, c *Customer) *Customer {
	t.Helper()
	got, err := Decode(c.AppendTo(nil), event.Names{})
	if err != nil || !bytes.Equal(got.AppendTo(nil), c.AppendTo(nil)) {
		t.Fatalf("a customer does not survive: %v", err)
	}
	return got
}
