package customer

import (
	"reflect"
	"testing"

	"github.com/nudge-engine/nudge/internal/goldentest"
)

// Faults that were recorded, and the zone of the device, are stored.
func TestNotedSections(t *testing.T) {
	c := fullCustomer()
	c.Noted = []string{"bad_number\x00\x00Order.total"}
	c.Device = ContextZone{Name: "Europe/Kyiv", At: 9000}
	b := c.AppendTo(nil)
	goldentest.Bytes(t, "customer_noted.v2", b)
	got, err := Decode(b, nil)
	if err != nil || !reflect.DeepEqual(got, c) {
		t.Errorf("unexpected customer %+v, error %v; want %+v", got, err, c)
	}
}

// When traits were set is stored, those of one call together, and is forgotten after a day.
func TestStampSection(t *testing.T) {
	c := New("default", "ann", 1000, 7)
	c.Traits = []byte(`{"age":7,"level":"gold","town":"Rome"}`)
	for _, name := range []string{"level", "town"} {
		c.SetStamp(TraitStamp{Trait: TraitID(name), At: 900, Seen: 1000})
	}
	c.SetStamp(TraitStamp{Trait: TraitID("age"), At: 901, Seen: 1001})
	b := c.AppendTo(nil)
	goldentest.Bytes(t, "customer_stamps.v2", b)
	got, err := Decode(b, nil)
	if err != nil || len(c.Stamps) != 3 || !reflect.DeepEqual(got.Stamps, c.Stamps) {
		t.Errorf("unexpected stamps %+v, error %v; want %+v", got.Stamps, err, c.Stamps)
	}
	if c.DropStamps(1000 + traitMemory); len(c.Stamps) != 1 {
		t.Errorf("%d stamps after a day; want that of the second call", len(c.Stamps))
	}
}
