package customer

import "testing"

// However many traits are set, what is remembered of them is bounded.
func TestStampsAreBounded(t *testing.T) {
	c := New("default", "ann", 1000, 7)
	for i := range uint32(3000) {
		c.SetStamp(TraitStamp{Trait: i * 2654435761, At: 900, Seen: 1000})
	}
	if len(c.Stamps) != maxTraitStamps {
		t.Errorf("%d stamps; want %d", len(c.Stamps), maxTraitStamps)
	}
}
