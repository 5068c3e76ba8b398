package effect_test

import (
	"reflect"
	"testing"

	"github.com/nudge-engine/nudge/campaign/output"
	"github.com/nudge-engine/nudge/internal/effect"
)

// A chain's row says that it is held out, and the currency of its value; one without has
// the bytes it always had.
func TestHeldOutRow(t *testing.T) {
	e := &effect.Effects{Seq: 1}
	e.Chains = []output.ChainRow{{Customer: "a", HeldOut: true}, {Customer: "b"}, {Customer: "c", Currency: "EUR"}}
	new(effect.Encoder).Encode(e, 1, func(_ uint64, data []byte) {
		m, err := effect.DecodeMessage(data)
		if err != nil || !reflect.DeepEqual(m.Chains, e.Chains) {
			t.Errorf("unexpected rows %+v, error %v", m.Chains, err)
		}
	})
}
