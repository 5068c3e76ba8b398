package customer

import (
	"errors"
	"reflect"
	"testing"

	"github.com/nudge-engine/nudge/internal/goldentest"
	"github.com/nudge-engine/nudge/internal/wire"
)

// When an anonymous customer expires is stored, and is a timer only while nothing is
// under way.
func TestIdleSection(t *testing.T) {
	c := New("default", "anon:1", 1000, 7)
	c.IdleAt = 9000
	b := c.AppendTo(nil)
	goldentest.Bytes(t, "customer_idle.v2", b)
	got, err := Decode(b, nil)
	if err != nil || !reflect.DeepEqual(got, c) {
		t.Errorf("unexpected customer %+v, error %v; want %+v", got, err, c)
	}
	if due, err := DecodeNextDue(b); err != nil || due != 9000 {
		t.Errorf("next due %d, error %v; want 9000", due, err)
	}
	for n := range b {
		if _, err := Decode(b[:n], nil); !errors.Is(err, wire.ErrCorrupt) {
			t.Fatalf("prefix of %d bytes: unexpected error %v; want ErrCorrupt", n, err)
		}
	}
	busy := fullCustomer()
	before := busy.NextDue()
	busy.IdleAt = 1
	if due := busy.NextDue(); due != before {
		t.Errorf("a customer with a live chain is due at %d; want %d", due, before)
	}
}
