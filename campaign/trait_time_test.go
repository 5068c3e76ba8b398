package campaign

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/nudge-engine/nudge/internal/goldentest"
)

// When traits were set is stored, those of one call together, and is forgotten after a day.
func TestStampSection(t *testing.T) {
	m := testMachine(t, program("x", "trigger: {event: {name: E}}"))
	c := NewCustomer("default", "ann", 1000, 7)
	for i, traits := range []string{`{"level":"gold","town":"Rome"}`, `{"age":7}`} {
		e := Event{ID: "m", Type: Identify, Name: identifyName, Time: int64(900 + i), Traits: []byte(traits)}
		m.Apply(c, &e, 1000+int64(i), false, new(Output))
	}
	b := c.AppendTo(nil)
	goldentest.Bytes(t, "customer_stamps.v2", b)
	got, err := DecodeCustomer(b, nil)
	if err != nil || len(c.stamps) != 3 || !reflect.DeepEqual(got.stamps, c.stamps) {
		t.Errorf("unexpected stamps %+v, error %v; want %+v", got.stamps, err, c.stamps)
	}
	e := Event{ID: "m", Type: Track, Name: "E", Time: 1000 + traitMemory}
	if m.Apply(c, &e, 1000+traitMemory, false, new(Output)); len(c.stamps) != 1 {
		t.Errorf("%d stamps after a day; want that of the second call", len(c.stamps))
	}
}

// However many traits are set, what is remembered of them is bounded.
func TestStampsAreBounded(t *testing.T) {
	m := testMachine(t, program("x", "trigger: {event: {name: E}}"))
	c := NewCustomer("default", "ann", 1000, 7)
	for i := range 30 {
		traits := []byte(`{"a":1`)
		for j := range 100 {
			traits = fmt.Appendf(traits, `,"t%d_%d":1`, i, j)
		}
		e := Event{ID: "m", Type: Identify, Name: identifyName, Time: 900, Traits: append(traits, '}')}
		m.Apply(c, &e, 1000, false, new(Output))
	}
	if len(c.stamps) != maxTraitStamps {
		t.Errorf("%d stamps; want %d", len(c.stamps), maxTraitStamps)
	}
}
