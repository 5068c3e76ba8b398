package output

import (
	"testing"

	"github.com/nudge-engine/nudge/internal/goldentest"
)

// Ids are stored outside and must never change for the same parts.
func TestIDsGolden(t *testing.T) {
	chain := ChainID("default", "cart", "ann", "A", 1)
	goldentest.Bytes(t, "chain-id", chain[:])
	delivery := DeliveryID(chain, "toast", "email", 0)
	goldentest.Bytes(t, "delivery-id", delivery[:])
	if id, ok := ParseID(delivery.String()); !ok || id != delivery {
		t.Errorf("unexpected id %v, %v", id, ok)
	}
	if ChainID("a", "b", "c", "", 1) == ChainID("a", "bc", "", "", 1) {
		t.Error("two lists of parts have one id")
	}
}
