package customer

import (
	"reflect"
	"testing"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/goldentest"
)

// The instant from which events concern a chain is stored where its trigger does not tell,
// and so is the currency of a goal.
func TestStartSections(t *testing.T) {
	c := fullCustomer()
	c.Chains[0].StartedAt, c.Chains[0].FirstStart = 8000, 7000
	c.Chains[0].Goals[0].Currency = "EUR"
	b := c.AppendTo(nil)
	goldentest.Bytes(t, "customer_start.v2", b)
	got, err := Decode(b, nil)
	if err != nil || !reflect.DeepEqual(got, c) {
		t.Errorf("unexpected customer %+v, error %v; want %+v", got, err, c)
	}
}

func TestStartOfChain(t *testing.T) {
	trigger := &event.Event{Time: 50}
	for _, x := range []struct {
		name    string
		chain   Chain
		trigger *event.Event
		want    int64
	}{
		{"an event started it", Chain{EnteredAt: 90}, trigger, 50},
		{"a newer event than the entry", Chain{EnteredAt: 40}, trigger, 50},
		{"time started it", Chain{EnteredAt: 90, StartedAt: 80}, trigger, 80},
		{"nothing is known", Chain{EnteredAt: 90}, nil, 90},
	} {
		if got := x.chain.Start(x.trigger); got != x.want {
			t.Errorf("%s: unexpected start %d; want %d", x.name, got, x.want)
		}
	}
}
