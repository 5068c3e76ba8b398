package actors_test

import (
	"testing"

	"github.com/nudge-engine/nudge/actors"
)

func TestControlRecords(t *testing.T) {
	skip := actors.Control{K: 3, Skip: &actors.Skip{Partition: 2, Seq: 7, Index: 1, Why: "w", Rebased: 9}}
	got, err := actors.DecodeControl(skip.Encode())
	if err != nil || *got.Skip != *skip.Skip {
		t.Errorf("got %+v, error %v", got, err)
	}
	records := []actors.Control{skip, {K: 4, Skip: &actors.Skip{Partition: 1, Seq: 8}}}
	if skips := actors.SkipsOf(records, 2); len(skips) != 1 || skips[actors.Place{Seq: 7, Index: 1}] != "w" {
		t.Errorf("unexpected skips %v", skips)
	}
	for _, bad := range []string{`{"k":1}`, `{"k":0,"skip":{}}`, `{"k":1,"skip":{},"genesis":{}}`} {
		if _, err := actors.DecodeControl([]byte(bad)); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}
