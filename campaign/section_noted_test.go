package campaign

import (
	"reflect"
	"testing"

	"github.com/nudge-engine/nudge/internal/goldentest"
)

// Faults that were recorded, and the zone of the device, are stored.
func TestNotedSections(t *testing.T) {
	c := fullCustomer()
	c.noted = []string{"bad_number\x00\x00Order.total"}
	c.device = contextZone{name: "Europe/Kyiv", at: 9000}
	b := c.AppendTo(nil)
	goldentest.Bytes(t, "customer_noted.v2", b)
	got, err := DecodeCustomer(b, nil)
	if err != nil || !reflect.DeepEqual(got, c) {
		t.Errorf("unexpected customer %+v, error %v; want %+v", got, err, c)
	}
}

// When traits were set is stored, those of one call together, and is forgotten after a day.
func TestStampSection(t *testing.T) {
	c := NewCustomer("default", "ann", 1000, 7)
	c.Traits = []byte(`{"age":7,"level":"gold","town":"Rome"}`)
	for _, name := range []string{"level", "town"} {
		c.setStamp(traitStamp{trait: traitID(name), at: 900, seen: 1000})
	}
	c.setStamp(traitStamp{trait: traitID("age"), at: 901, seen: 1001})
	b := c.AppendTo(nil)
	goldentest.Bytes(t, "customer_stamps.v2", b)
	got, err := DecodeCustomer(b, nil)
	if err != nil || len(c.stamps) != 3 || !reflect.DeepEqual(got.stamps, c.stamps) {
		t.Errorf("unexpected stamps %+v, error %v; want %+v", got.stamps, err, c.stamps)
	}
	if c.dropStamps(1000 + traitMemory); len(c.stamps) != 1 {
		t.Errorf("%d stamps after a day; want that of the second call", len(c.stamps))
	}
}
