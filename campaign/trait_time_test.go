package campaign

import "testing"

// However many traits are set, what is remembered of them is bounded.
func TestStampsAreBounded(t *testing.T) {
	c := NewCustomer("default", "ann", 1000, 7)
	for i := range uint32(3000) {
		c.setStamp(traitStamp{trait: i * 2654435761, at: 900, seen: 1000})
	}
	if len(c.stamps) != maxTraitStamps {
		t.Errorf("%d stamps; want %d", len(c.stamps), maxTraitStamps)
	}
}
