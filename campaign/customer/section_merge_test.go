package customer

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/nudge-engine/nudge/campaign/event"
	"github.com/nudge-engine/nudge/internal/goldentest"
)

// What a merge stores: the bytes, and that they survive.
func TestMergeFormats(t *testing.T) {
	c := New("w", "anon:x", 5, 6)
	c.Merged = &Tombstone{Into: "ann", Sent: 3}
	goldentest.Bytes(t, "tombstone.v2", c.AppendTo(nil))
	full := fullCustomer()
	full.Sources = []Source{{ID: "anon:a", Last: 4, Whole: true}, {ID: "anon:b", Last: 1, parts: []byte("part")}}
	full.Uncounted = []string{"Pay"}
	full.Chains[0].Origin = &Origin{Customer: "anon:a", Entry: 2}
	goldentest.Bytes(t, "merged.v2", full.AppendTo(nil))
	unmet := New("w", "ann", 5, 6)
	unmet.Unseen = true
	for _, c := range []*Customer{c, full, unmet} {
		got, err := Decode(c.AppendTo(nil), event.Names{})
		if err != nil || !reflect.DeepEqual(got, c) || !bytes.Equal(got.AppendTo(nil), c.AppendTo(nil)) {
			t.Errorf("unexpected customer %+v, error %v", got, err)
		}
	}
}
